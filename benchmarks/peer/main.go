// Command peer is a minimal operator for tenants, written to measure others against: children, ledger rows and status,
// and nothing else. It does not repair what others edit, and records a switch only as it sees it.
//
//	peer LISTEN SHAPES
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

const workers = 12

// A failure is tried again after a pause that grows to longestPause, by default it would be a quarter of an hour.
const (
	firstPause   = 5 * time.Millisecond
	longestPause = 5 * time.Second
)

func main() {
	if err := run(ctrl.SetupSignalHandler(), os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	if len(arguments) != 3 {
		return errors.New("usage: peer LISTEN SHAPES")
	}
	shapes, err := readShapes(arguments[2])
	if err != nil {
		return err
	}
	ctrl.SetLogger(logr.Discard())
	config := ctrl.GetConfigOrDie()
	config.QPS = -1 // as many requests as it takes
	ours := labels.SelectorFromSet(labels.Set{"app.kubernetes.io/managed-by": fieldManager})
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Metrics: server.Options{BindAddress: arguments[1]},
		Cache: cache.Options{
			DefaultLabelSelector: ours,
			ByObject:             map[client.Object]cache.ByObject{newTenant(): {Label: labels.Everything()}},
			DefaultTransform:     cache.TransformStripManagedFields(),
		},
		Client: client.Options{Cache: &client.CacheOptions{Unstructured: true}},
	})
	if err != nil {
		return err
	}
	ledger, err := openLedger(ctx, manager.GetAPIReader())
	if err != nil {
		return err
	}
	p := &peer{Client: manager.GetClient(), ledger: ledger, shapes: shapes}
	metrics.Registry.MustRegister(prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Name: "peer_settled", Help: "Tenants that are as wanted"}, p.settled))
	if err := watch(manager, p); err != nil {
		return err
	}
	return manager.Start(ctx)
}

// watch asks for work on a tenant when its spec changes, or one of its children.
func watch(manager ctrl.Manager, p *peer) error {
	b := ctrl.NewControllerManagedBy(manager).
		For(newTenant(), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: workers,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[ctrl.Request](firstPause, longestPause),
		}).
		Owns(&appsv1.Deployment{})
	for _, child := range p.kinds() {
		b = b.Owns(child)
	}
	return b.Complete(p)
}

// readShapes reads the children of each shape of tenant, as text in which a name and a uid are to be replaced.
func readShapes(path string) (map[string]string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var decoded map[string]json.RawMessage
	if err := json.Unmarshal(content, &decoded); err != nil {
		return nil, err
	}
	shapes := map[string]string{}
	for shape, children := range decoded {
		shapes[shape] = string(children)
	}
	return shapes, nil
}

func newTenant() *unstructured.Unstructured {
	tenant := &unstructured.Unstructured{}
	tenant.SetAPIVersion("pieced.ch/v1alpha1")
	tenant.SetKind("PiecedTenant")
	return tenant
}

// lean is an object of which only the metadata is watched.
func lean(apiVersion, kind string) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: apiVersion, Kind: kind}}
}
