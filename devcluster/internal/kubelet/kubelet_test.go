package kubelet

import (
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var (
	earlier = metav1.NewTime(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	now     = metav1.NewTime(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
)

func pod(images ...string) *v1.Pod {
	pod := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Generation: 1}}
	for _, image := range images {
		pod.Spec.Containers = append(pod.Spec.Containers, v1.Container{Name: image, Image: image})
	}
	return pod
}

func condition(status v1.PodStatus, kind v1.PodConditionType) v1.PodCondition {
	for _, condition := range status.Conditions {
		if condition.Type == kind {
			return condition
		}
	}
	return v1.PodCondition{}
}

func TestRunningStatus(t *testing.T) {
	for name, c := range map[string]struct {
		images []string
		phase  v1.PodPhase
		ready  v1.ConditionStatus
	}{
		"one container":         {[]string{"nginx"}, v1.PodRunning, v1.ConditionTrue},
		"two containers":        {[]string{"nginx", "redis"}, v1.PodRunning, v1.ConditionTrue},
		"no image":              {[]string{"fail.invalid/a"}, v1.PodPending, v1.ConditionFalse},
		"one of two has none":   {[]string{"nginx", "fail.invalid/a"}, v1.PodPending, v1.ConditionFalse},
		"a name like the other": {[]string{"registry/fail.invalid/a"}, v1.PodRunning, v1.ConditionTrue},
	} {
		t.Run(name, func(t *testing.T) {
			pod := pod(c.images...)
			pod.Status = runningStatus(pod, "10.128.0.1", now)
			if pod.Status.Phase != c.phase || condition(pod.Status, v1.PodReady).Status != c.ready {
				t.Errorf("phase %s, ready %v", pod.Status.Phase, condition(pod.Status, v1.PodReady))
			}
			if !settled(pod) {
				t.Error("the status does not answer the pod")
			}
			for i, status := range pod.Status.ContainerStatuses {
				pullFails := status.State.Waiting != nil && status.State.Waiting.Reason == "ImagePullBackOff"
				if status.Name != c.images[i] || status.Ready == pullFails {
					t.Errorf("container %d: %+v", i, status)
				}
			}
		})
	}
}

func TestRunningStatusKeepsWhatWasReported(t *testing.T) {
	pod := pod("nginx")
	pod.Status = v1.PodStatus{
		PodIP:     "10.128.0.9",
		StartTime: &earlier,
		Conditions: []v1.PodCondition{
			{Type: v1.PodScheduled, Status: v1.ConditionTrue, LastTransitionTime: earlier},
			{Type: v1.PodInitialized, Status: v1.ConditionTrue, LastTransitionTime: earlier},
			{Type: v1.PodReady, Status: v1.ConditionFalse, LastTransitionTime: earlier},
		},
	}
	status := runningStatus(pod, "10.128.0.10", now)
	if status.PodIP != "10.128.0.9" || !status.StartTime.Equal(&earlier) {
		t.Errorf("address %s, start %s", status.PodIP, status.StartTime)
	}
	for kind, want := range map[v1.PodConditionType]metav1.Time{
		v1.PodScheduled: earlier, v1.PodInitialized: earlier, v1.PodReady: now,
	} {
		if got := condition(status, kind); got.Status != v1.ConditionTrue || !got.LastTransitionTime.Equal(&want) {
			t.Errorf("%s: %+v", kind, got)
		}
	}
	if pod.Status.Conditions[2].Status != v1.ConditionFalse {
		t.Error("the cached pod was changed")
	}
}

func TestAChangedPodIsReportedAgain(t *testing.T) {
	pod := pod("fail.invalid/a")
	pod.Status = runningStatus(pod, "10.128.0.1", now)
	pod.Spec.Containers[0].Image = "nginx"
	pod.Generation++
	if settled(pod) {
		t.Fatal("settled")
	}
	if status := runningStatus(pod, "10.128.0.1", now); status.Phase != v1.PodRunning {
		t.Errorf("phase %s", status.Phase)
	}
}

func TestInitContainersCompleteAndSidecarsRun(t *testing.T) {
	pod, always := pod("nginx"), v1.ContainerRestartPolicyAlways
	pod.Spec.InitContainers = []v1.Container{
		{Name: "seed", Image: "busybox"}, {Name: "proxy", Image: "envoy", RestartPolicy: &always},
	}
	statuses := runningStatus(pod, "10.128.0.1", now).InitContainerStatuses
	if statuses[0].State.Terminated == nil || statuses[0].State.Running != nil {
		t.Errorf("init container: %+v", statuses[0].State)
	}
	if statuses[1].State.Running == nil {
		t.Errorf("sidecar: %+v", statuses[1].State)
	}
}

func TestAddressesAscendAboveThoseInUse(t *testing.T) {
	var free addresses
	for _, used := range []string{"10.128.0.255", "10.128.0.7", "", "127.0.0.1", "192.168.0.1"} {
		free.avoid(used)
	}
	for _, want := range []string{"10.128.1.0", "10.128.1.1"} {
		if got := free.next(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	free.avoid("10.255.255.255")
	if got := free.next(); got != "10.128.0.1" {
		t.Errorf("after the last one: %s", got)
	}
}

func TestNodeConditionsKeepTheTimeOfTheirLastChange(t *testing.T) {
	first := nodeStatus(v1.NodeStatus{}, earlier)
	silent := *first.DeepCopy()
	silent.Conditions[0].Status = v1.ConditionUnknown // what the controller manager says of a silent node
	for name, c := range map[string]struct {
		previous v1.NodeStatus
		want     metav1.Time
	}{"still ready": {first, earlier}, "ready again": {silent, now}, "new": {v1.NodeStatus{}, now}} {
		ready := nodeStatus(c.previous, now).Conditions[0]
		if ready.Type != v1.NodeReady || ready.Status != v1.ConditionTrue || !ready.LastHeartbeatTime.Equal(&now) {
			t.Errorf("%s: %+v", name, ready)
		}
		if !ready.LastTransitionTime.Equal(&c.want) {
			t.Errorf("%s: changed at %s, want %s", name, ready.LastTransitionTime, c.want)
		}
	}
}

func TestWantsMore(t *testing.T) {
	for _, c := range []struct {
		phase          v1.PersistentVolumeClaimPhase
		request, holds string
		want           bool
	}{
		{v1.ClaimBound, "2Gi", "1Gi", true},
		{v1.ClaimBound, "1Gi", "1024Mi", false},
		{v1.ClaimBound, "1Gi", "2Gi", false},
		{v1.ClaimPending, "2Gi", "1Gi", false},
	} {
		claim := &v1.PersistentVolumeClaim{}
		claim.Spec.Resources.Requests = v1.ResourceList{v1.ResourceStorage: resource.MustParse(c.request)}
		claim.Status.Phase = c.phase
		claim.Status.Capacity = v1.ResourceList{v1.ResourceStorage: resource.MustParse(c.holds)}
		if got := wantsMore(claim); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}

func TestNewVolumeBelongsToItsClaim(t *testing.T) {
	class, retain := "slow", v1.PersistentVolumeReclaimRetain
	claim := &v1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "data", UID: "1-2"}}
	claim.Spec.StorageClassName = &class
	claim.Spec.AccessModes = []v1.PersistentVolumeAccessMode{v1.ReadWriteOnce}
	claim.Spec.Resources.Requests = v1.ResourceList{v1.ResourceStorage: resource.MustParse("3Gi")}
	volume := newVolume(claim, &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: class}, ReclaimPolicy: &retain,
	})
	owner := volume.Spec.ClaimRef
	if volume.Name != "pvc-1-2" || owner.Namespace != "n" || owner.Name != "data" || owner.UID != "1-2" {
		t.Errorf("volume %s of %+v", volume.Name, owner)
	}
	if volume.Spec.Capacity.Storage().String() != "3Gi" || volume.Spec.PersistentVolumeReclaimPolicy != retain {
		t.Errorf("spec %+v", volume.Spec)
	}
}
