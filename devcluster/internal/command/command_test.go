package command

import (
	"strings"
	"testing"

	"pieced.ch/devcluster/internal/control"
)

func TestExitStatus(t *testing.T) {
	empty := t.TempDir()
	for line, want := range map[string]int{
		"--help":                            0,
		"up --help":                         0,
		"":                                  2,
		"launch":                            2,
		"up":                                2,
		"up --folder x":                     2,
		"up extra --dir " + empty:           2,
		"stop --dir " + empty:               2,
		"stop redis --dir " + empty:         2,
		"status -o yaml --dir " + empty:     2,
		"status --dir " + empty:             1,
		"kill etcd --dir " + empty:          1,
		"start etcd --dir " + empty + "/no": 1,
	} {
		if got := Run(strings.Fields(line)); got != want {
			t.Errorf("%q: exit status %d, want %d", line, got, want)
		}
	}
}

func TestStatusTable(t *testing.T) {
	var text strings.Builder
	err := writeTable(&text, []control.Status{
		{Component: "etcd", State: "ready", PID: 7, Restarts: 1, Log: "/l/etcd.log"},
		{Component: "kubelet", State: "stopped", Log: "/l/kubelet.log"},
	})
	want := `COMPONENT  STATE    PID  RESTARTS  LOG
etcd       ready    7    1         /l/etcd.log
kubelet    stopped  -    0         /l/kubelet.log
`
	if err != nil || text.String() != want {
		t.Errorf("got\n%s%v", text.String(), err)
	}
}
