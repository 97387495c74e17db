package kubelet

import (
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// brokenRegistry starts the images that can never be pulled: tests of failing workloads name them.
const brokenRegistry = "fail.invalid/"

// settled tells whether the status already answers the present generation of the pod.
func settled(pod *v1.Pod) bool {
	return pod.Status.ObservedGeneration == pod.Generation && len(pod.Status.ContainerStatuses) > 0
}

// runningStatus is the status that a real kubelet would report once every container of the pod has started, or, for an
// image of brokenRegistry, while it waits for the image. What was reported before (conditions of others, start times,
// the address) stays.
func runningStatus(pod *v1.Pod, address string, now metav1.Time) v1.PodStatus {
	status := *pod.Status.DeepCopy()
	status.ObservedGeneration = pod.Generation
	status.HostIP = nodeAddress
	status.HostIPs = []v1.HostIP{{IP: nodeAddress}}
	if pod.Spec.HostNetwork {
		address = nodeAddress
	}
	if status.PodIP == "" {
		status.PodIP = address
		status.PodIPs = []v1.PodIP{{IP: address}}
	}
	if status.StartTime == nil {
		status.StartTime = &now
	}
	status.InitContainerStatuses = initStatuses(pod, now)
	status.ContainerStatuses = containerStatuses(pod, now)

	ready := v1.ConditionTrue
	status.Phase = v1.PodRunning
	for _, container := range status.ContainerStatuses {
		if !container.Ready {
			ready = v1.ConditionFalse
			status.Phase = v1.PodPending
		}
	}
	for condition, value := range map[v1.PodConditionType]v1.ConditionStatus{
		v1.PodReadyToStartContainers: v1.ConditionTrue,
		v1.PodInitialized:            v1.ConditionTrue,
		v1.ContainersReady:           ready,
		v1.PodReady:                  ready,
	} {
		setCondition(&status, condition, value, now)
	}
	return status
}

func containerStatuses(pod *v1.Pod, now metav1.Time) []v1.ContainerStatus {
	statuses := make([]v1.ContainerStatus, 0, len(pod.Spec.Containers))
	for _, container := range pod.Spec.Containers {
		statuses = append(statuses, started(container, now))
	}
	return statuses
}

// initStatuses reports init containers as completed, and as running those that restart always (sidecars).
func initStatuses(pod *v1.Pod, now metav1.Time) []v1.ContainerStatus {
	var statuses []v1.ContainerStatus
	for _, container := range pod.Spec.InitContainers {
		status := started(container, now)
		sidecar := container.RestartPolicy != nil && *container.RestartPolicy == v1.ContainerRestartPolicyAlways
		if !sidecar && status.Ready {
			status.State = v1.ContainerState{Terminated: &v1.ContainerStateTerminated{
				Reason: "Completed", StartedAt: now, FinishedAt: now,
			}}
		}
		statuses = append(statuses, status)
	}
	return statuses
}

func started(container v1.Container, now metav1.Time) v1.ContainerStatus {
	pulled := !strings.HasPrefix(container.Image, brokenRegistry)
	status := v1.ContainerStatus{Name: container.Name, Image: container.Image, Ready: pulled, Started: &pulled}
	if !pulled {
		status.State.Waiting = &v1.ContainerStateWaiting{
			Reason: "ImagePullBackOff", Message: "Back-off pulling image \"" + container.Image + "\"",
		}
		return status
	}
	status.State.Running = &v1.ContainerStateRunning{StartedAt: now}
	status.ImageID = container.Image
	status.ContainerID = "devcluster://" + container.Name
	return status
}

func setCondition(status *v1.PodStatus, condition v1.PodConditionType, value v1.ConditionStatus, now metav1.Time) {
	for i := range status.Conditions {
		present := &status.Conditions[i]
		if present.Type != condition {
			continue
		}
		if present.Status != value {
			present.Status, present.LastTransitionTime = value, now
		}
		return
	}
	status.Conditions = append(status.Conditions, v1.PodCondition{Type: condition, Status: value, LastTransitionTime: now})
}
