package kubelet

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// follow calls settle for each object of the informer and again whenever it changes, in several workers but never twice
// at once for the same object, and retries it after an error. It starts the workers and returns.
func follow[T metav1.Object](
	ctx context.Context, informer cache.SharedIndexInformer, workers int, settle func(context.Context, T) error,
) error {
	queue := workqueue.NewTypedRateLimitingQueue(
		workqueue.NewTypedItemExponentialFailureRateLimiter[string](20*time.Millisecond, 10*time.Second))
	context.AfterFunc(ctx, queue.ShutDown)
	enqueue := func(object any) {
		if key, err := cache.MetaNamespaceKeyFunc(object); err == nil {
			queue.Add(key)
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(_, object any) { enqueue(object) },
	})
	if err != nil {
		return fmt.Errorf("cannot follow %T: %w", *new(T), err)
	}
	work := func(ctx context.Context) {
		for settleNext(ctx, queue, informer.GetStore(), settle) {
		}
	}
	for range workers {
		go wait.UntilWithContext(ctx, work, time.Second)
	}
	return nil
}

func settleNext[T metav1.Object](
	ctx context.Context, queue workqueue.TypedRateLimitingInterface[string], store cache.Store,
	settle func(context.Context, T) error,
) bool {
	key, shutdown := queue.Get()
	if shutdown {
		return false
	}
	defer queue.Done(key)
	object, exists, err := store.GetByKey(key)
	if exists && err == nil {
		err = settle(ctx, object.(T))
	}
	if err != nil {
		klog.V(1).InfoS("will retry", "key", key, "err", err)
		queue.AddRateLimited(key)
		return true
	}
	queue.Forget(key)
	return true
}
