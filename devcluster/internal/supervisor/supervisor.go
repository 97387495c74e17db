// Package supervisor runs the components of one cluster, in order, and ends them in the reverse order.
package supervisor

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"syscall"
	"time"

	"pieced.ch/devcluster/internal/components"
	"pieced.ch/devcluster/internal/control"
	"pieced.ch/devcluster/internal/layout"
)

const (
	// stopGrace is how long a component may take to stop before it is killed; etcd gives its clients five seconds.
	stopGrace = 7 * time.Second
	// readyLimit is how long one may take to become ready, on a machine that is busy with other things.
	readyLimit = 90 * time.Second
)

// Supervisor owns the processes of one cluster.
type Supervisor struct {
	children  []*child // in the order in which they start
	health    *health
	authority []byte // PEM certificate of the health URLs and the API server
}

// New prepares the components, none of which runs yet. authority is the PEM certificate that their health URLs use.
func New(dir layout.Dir, all []components.Component, authority []byte) (*Supervisor, error) {
	health, err := newHealth(authority)
	if err != nil {
		return nil, err
	}
	spawner := newSpawner()
	supervisor := &Supervisor{health: health, authority: authority}
	for _, component := range all {
		supervisor.children = append(supervisor.children,
			&child{component: component, logFile: dir.Log(component.Name), spawner: spawner})
	}
	return supervisor, nil
}

// StartAll runs all components and waits until they are ready. What others are clients of is ready before those start:
// a client whose first attempt fails pauses for a second.
func (s *Supervisor) StartAll(ctx context.Context) error {
	var clients []*child
	for _, child := range s.children {
		if err := child.start(); err != nil {
			return fmt.Errorf("cannot start %s: %w", child.component.Name, err)
		}
		if name := child.component.Name; name != components.Etcd && name != components.APIServer {
			clients = append(clients, child)
		} else if err := s.awaitReady(ctx, child); err != nil {
			return err
		}
	}
	for _, child := range clients {
		if err := s.awaitReady(ctx, child); err != nil {
			return err
		}
	}
	return nil
}

func (s *Supervisor) awaitReady(ctx context.Context, child *child) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	if err := s.health.await(ctx, child.component.Health); err != nil {
		return fmt.Errorf("%s did not become ready; see %s", child.component.Name, child.logFile)
	}
	slog.Info("component is ready", "component", child.component.Name)
	return nil
}

// StopAll ends all components, clients before servers: an API server without etcd hangs and keeps its port.
func (s *Supervisor) StopAll() {
	for _, child := range slices.Backward(s.children) {
		child.end(syscall.SIGTERM, stopGrace)
	}
}

// Do carries out one command; after Start the component is ready.
func (s *Supervisor) Do(action control.Action, component string) error {
	for _, child := range s.children {
		if child.component.Name == component {
			return s.do(action, child)
		}
	}
	return fmt.Errorf("there is no component %q; the components are %v", component, components.Names)
}

func (s *Supervisor) do(action control.Action, child *child) error {
	switch action {
	case control.Stop:
		child.end(syscall.SIGTERM, stopGrace)
	case control.Kill:
		child.end(syscall.SIGKILL, stopGrace)
	case control.Start:
		if err := child.start(); err != nil {
			return fmt.Errorf("cannot start %s: %w", child.component.Name, err)
		}
		return s.awaitReady(context.Background(), child)
	default:
		return fmt.Errorf("there is no action %q", action)
	}
	return nil
}

// Status is the state of all components, in the order in which they start.
func (s *Supervisor) Status() []control.Status {
	var all []control.Status
	for _, child := range s.children {
		status := child.status()
		if status.PID != 0 && s.health.ok(context.Background(), child.component.Health) {
			status.State = "ready"
		}
		all = append(all, status)
	}
	return all
}
