package acceptance

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const workload = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: nginx, volumeMounts: [{name: files, mountPath: /files}]}]
      volumes: [{name: files, persistentVolumeClaim: {claimName: files}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: broken}
spec:
  selector: {matchLabels: {app: broken}}
  template:
    metadata: {labels: {app: broken}}
    spec: {containers: [{name: broken, image: fail.invalid/never}]}
`

const customResource = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.pieced.ch}
spec:
  group: pieced.ch
  scope: Cluster
  names: {kind: Thing, plural: things, singular: thing}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`

func TestWorkloadsBecomeAvailableAndVolumesGrow(t *testing.T) {
	c := shared(t)
	c.mustKubectl(workload, "apply", "-f", "-")
	c.mustKubectl("", "wait", "--for=condition=Available", "deployment/web", "--timeout=60s")
	c.mustKubectl("", "wait", "--for=jsonpath={.status.phase}=Bound", "pvc/files", "--timeout=60s")
	c.mustKubectl("", "wait", "pod", "-l", "app=broken", "--timeout=60s",
		"--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff")
	c.mustKubectl("", "patch", "pvc", "files", "--type=merge", "-p", `{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}`)
	c.mustKubectl("", "wait", "--for=jsonpath={.status.capacity.storage}=2Gi", "pvc/files", "--timeout=60s")
	c.mustKubectl("", "delete", "deployment/web", "pvc/files", "--cascade=foreground", "--timeout=60s")
	eventually(t, "pods and volumes are gone", func() bool {
		return c.mustKubectl("", "get", "pods", "-l", "app=web", "-o", "name") == "" &&
			c.mustKubectl("", "get", "pv", "-o", "name") == ""
	})
}

func TestEachComponentStopsAndStartsAlone(t *testing.T) {
	c := shared(t)
	before := c.pids()
	for component := range before {
		for _, way := range []string{"stop", "kill"} {
			c.must(way, component)
			if c.pids()[component] != 0 || running(before[component]) {
				t.Errorf("%s %s: still runs", way, component)
			}
			c.must("start", component)
			after := c.pids()
			for other, pid := range after {
				if same := pid == before[other]; same == (other == component) {
					t.Errorf("%s %s: %s has process %d, before %d", way, component, other, pid, before[other])
				}
			}
			before = after
			c.mustKubectl("", "get", "nodes")
		}
	}
}

func TestObjectsOutliveTheSupervisorAndAreOfOneClusterOnly(t *testing.T) {
	dir := t.TempDir()
	first := up(t, dir)
	first.mustKubectl("", "create", "configmap", "kept")
	if _, err := shared(t).kubectl("", "get", "configmap", "kept"); err == nil {
		t.Error("clusters side by side share their objects")
	}
	pids := first.pids()
	first.kill()
	for component, pid := range pids {
		eventually(t, component+" dies with its supervisor", func() bool { return !running(pid) })
	}
	os.Remove(first.kubeconfig()) // up waits for a new one
	second := up(t, dir)
	second.mustKubectl("", "get", "configmap", "kept")
	if output, err := exec.Command(binary(t), "up", "--dir", dir).CombinedOutput(); err == nil {
		t.Errorf("a second one started: %s", output)
	}
	pids = second.pids()
	second.stop()
	for component, pid := range pids {
		if running(pid) {
			t.Errorf("%s is left behind", component)
		}
	}
	if exists(second.kubeconfig()) {
		t.Error("the kubeconfig of a stopped cluster exists")
	}
	if err := second.run("status"); err == nil {
		t.Error("a stopped cluster has a status")
	}
}

func TestAnOperatorWithoutARoleMayDoNothing(t *testing.T) {
	c := shared(t)
	operator := filepath.Join(c.dir, "operator.kubeconfig")
	who := c.mustKubectl("", "--kubeconfig", operator, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
	if who != "pieced-operator" {
		t.Errorf("the operator is %q", who)
	}
	if _, err := c.kubectl("", "--kubeconfig", operator, "get", "namespaces"); err == nil {
		t.Error("the operator needs no role")
	}
}

func TestTheAuditLogHoldsEveryWrite(t *testing.T) {
	c := shared(t)
	c.mustKubectl(customResource, "apply", "-f", "-")
	c.mustKubectl("", "wait", "--for=condition=Established", "crd/things.pieced.ch", "--timeout=60s")
	c.mustKubectl(`{apiVersion: pieced.ch/v1, kind: Thing, metadata: {name: a}, size: 1}`, "create", "-f", "-")
	c.mustKubectl("", "patch", "thing", "a", "--type=merge", "-p", `{"size":2}`)
	c.mustKubectl("", "get", "thing", "a")
	c.mustKubectl("", "create", "configmap", "plain")
	stopCommon() // all of the log is written now

	var ours, plain []string
	for _, event := range readAuditLog(t, auditLog()) {
		switch event.ObjectRef.Resource {
		case "things":
			ours = append(ours, event.Verb+" "+string(event.ResponseObject["size"]))
		case "configmaps":
			if event.ObjectRef.Name == "plain" {
				plain = append(plain, event.Verb+" "+event.Level)
			}
		}
		if event.Stage != "ResponseComplete" {
			t.Errorf("stage %s", event.Stage)
		}
	}
	if got := strings.Join(ours, ", "); got != "create 1, patch 2" {
		t.Errorf("our resource: %s", got)
	}
	if got := strings.Join(plain, ", "); got != "create Metadata" {
		t.Errorf("another resource: %s", got)
	}
}

type auditEvent struct {
	Verb, Level, Stage string
	ObjectRef          struct{ Resource, Name string }
	ResponseObject     map[string]json.RawMessage
}

func readAuditLog(t *testing.T, path string) []auditEvent {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	var events []auditEvent
	for lines.Scan() {
		var event auditEvent
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			t.Fatal(err)
		}
		events = append(events, event)
	}
	return events
}
