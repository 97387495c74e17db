// Package kubelet plays one node for a cluster that runs no containers: its pods become Running and Ready, its volumes
// are provisioned, bound and resized.
package kubelet

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// workers settle one kind of object; each waits for one request at a time.
const workers = 16

// Run plays the node until SIGTERM. healthAddress answers /healthz with 200 once the node is Ready and all is followed.
func Run(kubeconfig, healthAddress string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	client, err := newClient(kubeconfig)
	if err != nil {
		return err
	}
	if err := wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		return beats(ctx, client), nil
	}); err != nil {
		return nil // stopped before the API server answered
	}
	if err := ensureStorageClass(ctx, client); err != nil {
		return err
	}
	go wait.UntilWithContext(ctx, func(ctx context.Context) { beats(ctx, client) }, heartbeatPeriod)
	if err := followPods(ctx, client); err != nil {
		return err
	}
	if err := followVolumes(ctx, client); err != nil {
		return err
	}
	return serveHealth(ctx, healthAddress)
}

func newClient(kubeconfig string) (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1 // no limit: the API server protects itself
	config.ContentType = runtime.ContentTypeProtobuf
	config.UserAgent = "devcluster-kubelet"
	return kubernetes.NewForConfig(config)
}

func beats(ctx context.Context, client kubernetes.Interface) bool {
	if err := heartbeat(ctx, client); err != nil {
		klog.ErrorS(err, "no heartbeat")
		return false
	}
	return true
}

func followPods(ctx context.Context, client kubernetes.Interface) error {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0,
		informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", nodeName).String()
		}))
	informer := factory.Core().V1().Pods().Informer()
	node := &pods{client: client}
	if err := startAndSync(ctx, factory, informer); err != nil {
		return err
	}
	for _, object := range informer.GetStore().List() {
		node.addresses.avoid(object.(*v1.Pod).Status.PodIP)
	}
	return follow(ctx, informer, workers, node.settle)
}

func followVolumes(ctx context.Context, client kubernetes.Interface) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	claims := factory.Core().V1().PersistentVolumeClaims().Informer()
	provided := factory.Core().V1().PersistentVolumes().Informer()
	classes := factory.Storage().V1().StorageClasses()
	if err := startAndSync(ctx, factory, claims, provided, classes.Informer()); err != nil {
		return err
	}
	storage := &volumes{client: client, classes: classes.Lister()}
	if err := follow(ctx, claims, workers, storage.settleClaim); err != nil {
		return err
	}
	return follow(ctx, provided, workers, storage.settleVolume)
}

func startAndSync(ctx context.Context, factory informers.SharedInformerFactory, all ...cache.SharedIndexInformer) error {
	factory.Start(ctx.Done())
	for _, informer := range all {
		if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
			return fmt.Errorf("stopped before the API server's objects were read")
		}
	}
	return nil
}

func serveHealth(ctx context.Context, address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(response http.ResponseWriter, _ *http.Request) {
		response.WriteHeader(http.StatusOK)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	return nil
}
