package kubelet

import (
	"context"
	"fmt"
	"runtime"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/component-base/version"
)

const (
	nodeName    = "devcluster"
	nodeAddress = "127.0.0.1"

	// heartbeatPeriod is a fifth of the time after which the controller manager calls a silent node NotReady.
	heartbeatPeriod = 10 * time.Second
	leaseSeconds    = int32(40)
)

// capacity is enough for thousands of tenants, whose containers do not really run.
var capacity = v1.ResourceList{
	v1.ResourceCPU:              resource.MustParse("100k"),
	v1.ResourceMemory:           resource.MustParse("1Pi"),
	v1.ResourceEphemeralStorage: resource.MustParse("1Pi"),
	v1.ResourcePods:             resource.MustParse("100k"),
}

func newNode() *v1.Node {
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: nodeName,
			Labels: map[string]string{
				v1.LabelHostname: nodeName, v1.LabelOSStable: "linux", v1.LabelArchStable: runtime.GOARCH,
			},
		},
		Spec: v1.NodeSpec{PodCIDR: podRange.String(), PodCIDRs: []string{podRange.String()}},
	}
}

// nodeStatus is a healthy node's status; a condition keeps the time at which it last changed.
func nodeStatus(previous v1.NodeStatus, now metav1.Time) v1.NodeStatus {
	since := map[v1.NodeConditionType]metav1.Time{}
	for _, condition := range previous.Conditions {
		if condition.Status == conditionWhenHealthy(condition.Type) {
			since[condition.Type] = condition.LastTransitionTime
		}
	}
	status := v1.NodeStatus{
		Capacity:    capacity,
		Allocatable: capacity,
		Addresses: []v1.NodeAddress{
			{Type: v1.NodeInternalIP, Address: nodeAddress}, {Type: v1.NodeHostName, Address: nodeName},
		},
		NodeInfo: v1.NodeSystemInfo{
			OperatingSystem: "linux", Architecture: runtime.GOARCH, KubeletVersion: version.Get().GitVersion,
		},
	}
	for _, kind := range []v1.NodeConditionType{
		v1.NodeReady, v1.NodeMemoryPressure, v1.NodeDiskPressure, v1.NodePIDPressure,
	} {
		changed, known := since[kind]
		if !known {
			changed = now
		}
		status.Conditions = append(status.Conditions, v1.NodeCondition{
			Type: kind, Status: conditionWhenHealthy(kind), Reason: "Devcluster",
			LastHeartbeatTime: now, LastTransitionTime: changed,
		})
	}
	return status
}

func conditionWhenHealthy(kind v1.NodeConditionType) v1.ConditionStatus {
	if kind == v1.NodeReady {
		return v1.ConditionTrue
	}
	return v1.ConditionFalse
}

// heartbeat registers the node when it is missing, reports it healthy and renews its lease.
func heartbeat(ctx context.Context, client kubernetes.Interface) error {
	nodes := client.CoreV1().Nodes()
	node, err := nodes.Get(ctx, nodeName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		node, err = nodes.Create(ctx, newNode(), metav1.CreateOptions{})
	}
	if err != nil {
		return fmt.Errorf("cannot register the node: %w", err)
	}
	node.Status = nodeStatus(node.Status, metav1.Now())
	if _, err := nodes.UpdateStatus(ctx, node, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("cannot report the node's status: %w", err)
	}
	return renewLease(ctx, client, node)
}

func renewLease(ctx context.Context, client kubernetes.Interface, node *v1.Node) error {
	leases := client.CoordinationV1().Leases(v1.NamespaceNodeLease)
	holder, seconds, now := nodeName, leaseSeconds, metav1.NowMicro()
	spec := coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, RenewTime: &now}
	lease, err := leases.Get(ctx, nodeName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		owner := metav1.OwnerReference{APIVersion: "v1", Kind: "Node", Name: node.Name, UID: node.UID}
		lease = &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Name: nodeName, OwnerReferences: []metav1.OwnerReference{owner}},
			Spec:       spec,
		}
		_, err = leases.Create(ctx, lease, metav1.CreateOptions{})
	} else if err == nil {
		lease.Spec = spec
		_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
	}
	if err != nil {
		return fmt.Errorf("cannot renew the node's lease: %w", err)
	}
	return nil
}
