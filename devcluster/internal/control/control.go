// Package control is how commands reach the supervisor of a running cluster: HTTP on a socket in the cluster's folder.
package control

// Action is what can be done to one component.
type Action string

// Stop ends a component by SIGTERM, Kill by SIGKILL; Start runs it again and waits until it works.
const (
	Stop  Action = "stop"
	Kill  Action = "kill"
	Start Action = "start"
)

// Status is the state of one component.
type Status struct {
	Component string `json:"component"`
	State     string `json:"state"` // ready, starting or stopped
	PID       int    `json:"pid,omitempty"`
	Restarts  int    `json:"restarts"` // after a death that nobody asked for
	Health    string `json:"health"`   // URL
	Log       string `json:"log"`
}

// Cluster is what a server of this package controls.
type Cluster interface {
	Do(action Action, component string) error
	Status() []Status
}
