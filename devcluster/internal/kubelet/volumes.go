package kubelet

import (
	"context"
	"fmt"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	storagelisters "k8s.io/client-go/listers/storage/v1"
)

const (
	storageClass = "standard"
	provisioner  = "devcluster.pieced.ch/volumes"

	// The annotations by which the persistent volume controller and an external provisioner work together.
	provisionerWanted = "volume.kubernetes.io/storage-provisioner"
	provisionedBy     = "pv.kubernetes.io/provisioned-by"
	defaultClass      = "storageclass.kubernetes.io/is-default-class"
)

// volumes plays a storage system: it provisions, resizes and deletes volumes that hold nothing.
type volumes struct {
	client  kubernetes.Interface
	classes storagelisters.StorageClassLister
}

func ensureStorageClass(ctx context.Context, client kubernetes.Interface) error {
	expandable, reclaim, binding := true, v1.PersistentVolumeReclaimDelete, storagev1.VolumeBindingImmediate
	_, err := client.StorageV1().StorageClasses().Create(ctx, &storagev1.StorageClass{
		ObjectMeta:           metav1.ObjectMeta{Name: storageClass, Annotations: map[string]string{defaultClass: "true"}},
		Provisioner:          provisioner,
		AllowVolumeExpansion: &expandable,
		ReclaimPolicy:        &reclaim,
		VolumeBindingMode:    &binding,
	}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("cannot create the StorageClass: %w", err)
	}
	return nil
}

func (s *volumes) settleClaim(ctx context.Context, claim *v1.PersistentVolumeClaim) error {
	switch {
	case claim.DeletionTimestamp != nil:
		return nil
	case claim.Spec.VolumeName == "" && claim.Annotations[provisionerWanted] == provisioner:
		return s.provision(ctx, claim)
	case claim.Annotations[provisionerWanted] == provisioner && wantsMore(claim):
		return s.resize(ctx, claim)
	}
	return nil
}

func (s *volumes) provision(ctx context.Context, claim *v1.PersistentVolumeClaim) error {
	class, err := s.classes.Get(*claim.Spec.StorageClassName)
	if err != nil {
		return err
	}
	_, err = s.client.CoreV1().PersistentVolumes().Create(ctx, newVolume(claim, class), metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// newVolume is the volume of a claim; the persistent volume controller binds the two.
func newVolume(claim *v1.PersistentVolumeClaim, class *storagev1.StorageClass) *v1.PersistentVolume {
	name := "pvc-" + string(claim.UID)
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{provisionedBy: provisioner}},
		Spec: v1.PersistentVolumeSpec{
			Capacity:                      v1.ResourceList{v1.ResourceStorage: *claim.Spec.Resources.Requests.Storage()},
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    claim.Spec.VolumeMode,
			StorageClassName:              class.Name,
			PersistentVolumeReclaimPolicy: *class.ReclaimPolicy,
			ClaimRef: &v1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			PersistentVolumeSource: v1.PersistentVolumeSource{
				HostPath: &v1.HostPathVolumeSource{Path: "/devcluster/" + name}, // never opened: no container runs
			},
		},
	}
}

// wantsMore tells whether a bound claim asks for more than it has.
func wantsMore(claim *v1.PersistentVolumeClaim) bool {
	wanted, has := claim.Spec.Resources.Requests.Storage(), claim.Status.Capacity.Storage()
	return claim.Status.Phase == v1.ClaimBound && wanted.Cmp(*has) > 0
}

func (s *volumes) resize(ctx context.Context, claim *v1.PersistentVolumeClaim) error {
	wanted := v1.ResourceList{v1.ResourceStorage: *claim.Spec.Resources.Requests.Storage()}
	volume, err := s.client.CoreV1().PersistentVolumes().Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
	if err != nil {
		return gone(err)
	}
	volume.Spec.Capacity = wanted
	if _, err := s.client.CoreV1().PersistentVolumes().Update(ctx, volume, metav1.UpdateOptions{}); err != nil {
		return gone(err)
	}
	resized := claim.DeepCopy()
	resized.Status.Capacity = wanted
	_, err = s.client.CoreV1().PersistentVolumeClaims(claim.Namespace).UpdateStatus(ctx, resized, metav1.UpdateOptions{})
	return gone(err)
}

// settleVolume deletes a volume whose claim is gone, when its reclaim policy says so.
func (s *volumes) settleVolume(ctx context.Context, volume *v1.PersistentVolume) error {
	abandoned := volume.Status.Phase == v1.VolumeReleased && volume.DeletionTimestamp == nil &&
		volume.Annotations[provisionedBy] == provisioner &&
		volume.Spec.PersistentVolumeReclaimPolicy == v1.PersistentVolumeReclaimDelete
	if !abandoned {
		return nil
	}
	return gone(s.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{
		Preconditions: metav1.NewUIDPreconditions(string(volume.UID)),
	}))
}
