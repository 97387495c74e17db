package kubelet

import (
	"context"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// pods plays the containers of the node: it says that they run, and stops them at once when their pod is deleted.
type pods struct {
	client    kubernetes.Interface
	addresses addresses
}

func (p *pods) settle(ctx context.Context, pod *v1.Pod) error {
	if pod.DeletionTimestamp != nil {
		return p.finalise(ctx, pod)
	}
	if settled(pod) || pod.Status.Phase == v1.PodSucceeded || pod.Status.Phase == v1.PodFailed {
		return nil
	}
	address := pod.Status.PodIP
	if address == "" {
		address = p.addresses.next()
	}
	reported := pod.DeepCopy()
	reported.Status = runningStatus(pod, address, metav1.Now())
	_, err := p.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, reported, metav1.UpdateOptions{})
	return gone(err)
}

// finalise removes a pod whose deletion was requested. The API server keeps it for as long as it has finalizers.
func (p *pods) finalise(ctx context.Context, pod *v1.Pod) error {
	if pod.DeletionGracePeriodSeconds != nil && *pod.DeletionGracePeriodSeconds == 0 {
		return nil
	}
	return gone(p.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: new(int64),
		Preconditions:      metav1.NewUIDPreconditions(string(pod.UID)),
	}))
}

// gone drops the error that says that an object no longer exists: its removal is followed by the informer.
func gone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
