package supervisor

import (
	"log/slog"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"pieced.ch/devcluster/internal/components"
	"pieced.ch/devcluster/internal/control"
)

const (
	firstBackoff  = 500 * time.Millisecond
	longestPause  = 10 * time.Second
	stableRuntime = 30 * time.Second // a process that lived so long starts with firstBackoff again
)

// child keeps one component running for as long as it is wanted.
type child struct {
	component components.Component
	logFile   string
	spawner   *spawner

	mu       sync.Mutex
	wanted   bool
	process  *exec.Cmd     // nil while it does not run
	exited   chan struct{} // closed when process has exited
	since    time.Time     // start of process
	backoff  time.Duration // the pause before the next restart
	restarts int           // those that nobody asked for
}

// start runs the component unless it runs already.
func (c *child) start() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wanted, c.backoff = true, firstBackoff
	return c.launch()
}

// launch is called with mu held.
func (c *child) launch() error {
	if c.process != nil || !c.wanted {
		return nil
	}
	process, err := c.spawner.start(c.component.Command, c.logFile)
	if err != nil {
		return err
	}
	c.process, c.exited, c.since = process, make(chan struct{}), time.Now()
	go c.await(process)
	return nil
}

func (c *child) await(process *exec.Cmd) {
	outcome := process.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.process = nil
	close(c.exited)
	if !c.wanted {
		return
	}
	if time.Since(c.since) > stableRuntime {
		c.backoff = firstBackoff
	}
	slog.Warn("component died and will be restarted",
		"component", c.component.Name, "exit", outcome, "pause", c.backoff, "log", c.logFile)
	c.restartLater()
}

// restartLater is called with mu held.
func (c *child) restartLater() {
	time.AfterFunc(c.backoff, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.wanted || c.process != nil {
			return
		}
		c.restarts++
		if err := c.launch(); err != nil {
			slog.Error("component cannot be restarted", "component", c.component.Name, "error", err)
			c.restartLater()
		}
	})
	c.backoff = min(2*c.backoff, longestPause)
}

// end sends a signal, waits until the process has exited and kills it after grace. It is not restarted.
func (c *child) end(signal syscall.Signal, grace time.Duration) {
	c.mu.Lock()
	c.wanted = false
	process, exited := c.process, c.exited
	c.mu.Unlock()
	if process == nil {
		return
	}
	process.Process.Signal(signal) //nolint:errcheck // it may have exited meanwhile
	select {
	case <-exited:
		return
	case <-time.After(grace):
	}
	slog.Warn("component did not stop in time and is killed", "component", c.component.Name, "grace", grace)
	process.Process.Kill() //nolint:errcheck // as above
	<-exited
}

// status reports all but whether the component answers.
func (c *child) status() control.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	status := control.Status{
		Component: c.component.Name, State: "stopped", Restarts: c.restarts,
		Health: c.component.Health, Log: c.logFile,
	}
	if c.wanted {
		status.State = "starting"
	}
	if c.process != nil {
		status.PID = c.process.Process.Pid
	}
	return status
}
