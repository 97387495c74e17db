package supervisor

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pieced.ch/devcluster/internal/components"
)

// script is a child that runs a shell script; cleanup ends it.
func script(t *testing.T, text string) *child {
	t.Helper()
	child := &child{
		component: components.Component{Name: "script", Command: []string{"/bin/sh", "-c", text}},
		logFile:   filepath.Join(t.TempDir(), "log"),
		spawner:   newSpawner(),
	}
	t.Cleanup(func() { child.end(syscall.SIGKILL, time.Second) })
	return child
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not in time: " + what)
		}
	}
}

func (c *child) logged(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(c.logFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAChildThatDiesIsRestartedAndKeepsItsLog(t *testing.T) {
	child := script(t, `echo run; kill -9 $$`)
	if err := child.start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "second run", func() bool { return strings.Count(child.logged(t), "run") >= 2 })
	if status := child.status(); status.Restarts < 1 {
		t.Errorf("status %+v", status)
	}
}

func TestAChildThatWasEndedStaysAway(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		child := script(t, `echo run; exec sleep 60`)
		if err := child.start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "run", func() bool { return child.logged(t) != "" })
		pid := child.status().PID
		child.end(signal, 10*time.Second)
		if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
			t.Errorf("%s: process %d: %v", signal, pid, err)
		}
		if status := child.status(); status.State != "stopped" || status.PID != 0 || status.Restarts != 0 {
			t.Errorf("%s: status %+v", signal, status)
		}
		if err := child.start(); err != nil || child.status().PID == 0 {
			t.Errorf("%s: not started again: %v", signal, err)
		}
	}
}

func TestAChildThatIgnoresSigtermIsKilled(t *testing.T) {
	child := script(t, `trap '' TERM; echo run; while :; do sleep 0.1; done`)
	if err := child.start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "run", func() bool { return child.logged(t) != "" })
	child.end(syscall.SIGTERM, 50*time.Millisecond)
	if status := child.status(); status.PID != 0 {
		t.Errorf("status %+v", status)
	}
}

func TestStartingTwiceRunsOne(t *testing.T) {
	child := script(t, `exec sleep 60`)
	for range 2 {
		if err := child.start(); err != nil {
			t.Fatal(err)
		}
	}
	pid := child.status().PID
	child.end(syscall.SIGKILL, time.Second)
	if pid == 0 || child.status().PID != 0 {
		t.Errorf("before %d, after %+v", pid, child.status())
	}
}

func TestAProgramThatDoesNotExistIsAnError(t *testing.T) {
	child := script(t, "")
	child.component.Command = []string{"/nonexistent"}
	if err := child.start(); err == nil {
		t.Error("started")
	}
}
