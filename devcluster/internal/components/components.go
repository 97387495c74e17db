// Package components says how each component of the control plane is run.
package components

import (
	"fmt"

	"pieced.ch/devcluster/internal/layout"
)

// The names of the components, as the upstream programs are called.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
	Kubelet           = "kubelet"
)

// Names are all components in the order in which they start; they stop in the reverse order.
var Names = []string{Etcd, APIServer, ControllerManager, Scheduler, Kubelet}

// Component is one process of the cluster.
type Component struct {
	Name    string
	Command []string // program and arguments
	Health  string   // URL that answers 200 when the component works
}

// Ports are the loopback ports of one start of the cluster.
type Ports struct {
	Etcd, APIServer, ControllerManager, Scheduler, Kubelet int
}

// Server is the URL of the API server.
func (p Ports) Server() string { return "https://" + local(p.APIServer) }

func local(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// All describes the components of a cluster, in the order of Names. auditLog is empty for none.
func All(dir layout.Dir, ports Ports, programs Programs, auditLog string) []Component {
	component := func(name, health string, arguments []string) Component {
		return Component{Name: name, Command: append(programs[name], arguments...), Health: health}
	}
	return []Component{
		component(Etcd, "http://"+local(ports.Etcd)+"/health", etcd(dir, ports)),
		component(APIServer, ports.Server()+"/readyz", apiServer(dir, ports, auditLog)),
		component(ControllerManager, "https://"+local(ports.ControllerManager)+"/healthz", controllerManager(dir, ports)),
		component(Scheduler, "https://"+local(ports.Scheduler)+"/healthz", scheduler(dir, ports)),
		component(Kubelet, "http://"+local(ports.Kubelet)+"/healthz", kubelet(dir, ports)),
	}
}
