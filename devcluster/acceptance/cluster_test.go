// Package acceptance tests a built binary, named by the environment variable DEVCLUSTER, from outside.
package acceptance

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// common is the cluster for tests that need none of their own: the first of them starts it, in commonDir.
var (
	common    *cluster
	commonDir string
)

func TestMain(m *testing.M) {
	var err error
	if commonDir, err = os.MkdirTemp("", "common"); err != nil {
		panic(err)
	}
	status := m.Run()
	stopCommon()
	os.RemoveAll(commonDir)
	os.Exit(status)
}

// shared is the common cluster, in the hands of t.
func shared(t *testing.T) *cluster {
	t.Helper()
	if common == nil {
		common = launch(t, commonDir, "--audit-log", auditLog())
		common.awaitReady()
	}
	c := *common
	c.t = t
	return &c
}

func auditLog() string { return filepath.Join(commonDir, "audit.log") }

func stopCommon() {
	if common != nil {
		common.end()
		common = nil
	}
}

// cluster is one running supervisor.
type cluster struct {
	t       *testing.T
	dir     string
	process *exec.Cmd
	output  *bytes.Buffer
}

func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("DEVCLUSTER")
	if path == "" {
		t.Fatal("name the built binary in the environment variable DEVCLUSTER")
	}
	return path
}

// up starts a cluster of a test's own in dir and waits until it is ready.
func up(t *testing.T, dir string) *cluster {
	t.Helper()
	c := launch(t, dir)
	t.Cleanup(c.end) // in order, so that nothing writes to a folder that is being removed
	c.awaitReady()
	return c
}

func launch(t *testing.T, dir string, options ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: dir, output: &bytes.Buffer{}}
	c.process = exec.Command(binary(t), append([]string{"up", "--dir", dir}, options...)...)
	c.process.Stdout, c.process.Stderr = c.output, c.output
	if err := c.process.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cluster) awaitReady() {
	c.t.Helper()
	eventually(c.t, "ready", func() bool { return exists(c.kubeconfig()) && c.run("status") == nil })
}

// end asks the supervisor to end, waits for it, and is content if it has ended before.
func (c *cluster) end() {
	c.process.Process.Signal(syscall.SIGTERM)
	c.process.Wait()
}

func (c *cluster) kubeconfig() string { return filepath.Join(c.dir, "admin.kubeconfig") }

func (c *cluster) run(arguments ...string) error {
	return exec.Command(binary(c.t), append(arguments, "--dir", c.dir)...).Run()
}

func (c *cluster) must(arguments ...string) {
	c.t.Helper()
	if err := c.run(arguments...); err != nil {
		c.t.Fatalf("%v: %v", arguments, err)
	}
}

// pids are the process ids by component, 0 for one that does not run.
func (c *cluster) pids() map[string]int {
	c.t.Helper()
	text, err := exec.Command(binary(c.t), "status", "--dir", c.dir, "-o", "json").Output()
	if err != nil {
		c.t.Fatal(err)
	}
	var all []struct {
		Component string
		PID       int
	}
	if err := json.Unmarshal(text, &all); err != nil {
		c.t.Fatal(err)
	}
	pids := map[string]int{}
	for _, one := range all {
		pids[one.Component] = one.PID
	}
	return pids
}

// kubectl gives the input to kubectl and returns what it prints.
func (c *cluster) kubectl(input string, arguments ...string) (string, error) {
	command := exec.Command(binary(c.t), append([]string{"kubectl"}, arguments...)...)
	command.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig(), "KUBECACHEDIR="+c.t.TempDir())
	command.Stdin = strings.NewReader(input)
	output, err := command.CombinedOutput()
	return string(output), err
}

func (c *cluster) mustKubectl(input string, arguments ...string) string {
	c.t.Helper()
	output, err := c.kubectl(input, arguments...)
	if err != nil {
		c.t.Fatalf("kubectl %v: %v: %s", arguments, err, output)
	}
	return output
}

// stop asks the supervisor to end and waits for it.
func (c *cluster) stop() {
	c.t.Helper()
	c.process.Process.Signal(syscall.SIGTERM)
	if err := c.process.Wait(); err != nil {
		c.t.Fatalf("after SIGTERM: %v", err)
	}
}

func (c *cluster) kill() {
	c.process.Process.Kill()
	c.process.Wait()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func running(pid int) bool { return syscall.Kill(pid, 0) == nil }

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not in time: " + what)
		}
	}
}
