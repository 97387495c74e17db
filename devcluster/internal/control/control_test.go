package control

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pieced.ch/devcluster/internal/layout"
)

// recorder notes what it is asked for and refuses to kill.
type recorder struct{ asked []string }

func (r *recorder) Do(action Action, component string) error {
	r.asked = append(r.asked, string(action)+" "+component)
	if action == Kill {
		return errors.New("no")
	}
	return nil
}

func (r *recorder) Status() []Status { return []Status{{Component: "etcd", State: "ready", PID: 7}} }

func TestCommandsReachTheClusterInAFolderWithALongName(t *testing.T) {
	dir, err := layout.Open(filepath.Join(t.TempDir(), strings.Repeat("long", 40)))
	if err != nil {
		t.Fatal(err)
	}
	cluster := &recorder{}
	for range 2 { // the second time over the socket that the first one left behind
		if err := Serve(dir, cluster); err != nil {
			t.Fatal(err)
		}
	}
	client := NewClient(dir)
	if err := client.Do(Stop, "etcd"); err != nil {
		t.Error(err)
	}
	if err := client.Do(Kill, "kubelet"); err == nil || err.Error() != "no" {
		t.Errorf("refusal: %v", err)
	}
	if want := []string{"stop etcd", "kill kubelet"}; !slices.Equal(cluster.asked, want) {
		t.Errorf("asked %v", cluster.asked)
	}
	all, err := client.Status()
	if err != nil || len(all) != 1 || all[0].PID != 7 {
		t.Errorf("status %v, %v", all, err)
	}
	socket, err := os.Stat(filepath.Join(string(dir), "control.sock"))
	if err != nil || socket.Mode().Perm()&0o077 != 0 {
		t.Errorf("socket %v, %v", socket.Mode(), err)
	}
}

func TestNoClusterIsOneSentence(t *testing.T) {
	_, err := NewClient(layout.Dir(t.TempDir())).Status()
	if err == nil || !strings.HasPrefix(err.Error(), "no cluster runs in ") || strings.Contains(err.Error(), "dial") {
		t.Errorf("got %v", err)
	}
}
