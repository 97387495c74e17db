package supervisor

import (
	"context"
	"errors"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// AwaitUsable waits until a pod could be created and scheduled: the controllers have made the default service account
// and taken the taint of a new node away. token is an administrator's.
func (s *Supervisor) AwaitUsable(ctx context.Context, server, token string) error {
	client, err := kubernetes.NewForConfig(&rest.Config{
		Host: server, BearerToken: token, TLSClientConfig: rest.TLSClientConfig{CAData: s.authority},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	err = wait.PollUntilContextCancel(ctx, pollPeriod, true, func(ctx context.Context) (bool, error) {
		return usable(ctx, client), nil
	})
	if err != nil {
		return errors.New("the controllers made no default service account or no schedulable node in time")
	}
	return nil
}

func usable(ctx context.Context, client kubernetes.Interface) bool {
	_, err := client.CoreV1().ServiceAccounts(v1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
	if err != nil {
		return false
	}
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil || len(nodes.Items) == 0 {
		return false
	}
	for _, node := range nodes.Items {
		if len(node.Spec.Taints) > 0 {
			return false
		}
	}
	return true
}
