package components

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apiserver/pkg/apis/audit"
	"k8s.io/apiserver/pkg/audit/policy"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	kubescheduler "k8s.io/kube-scheduler/config/v1"
	"sigs.k8s.io/yaml"

	"pieced.ch/devcluster/internal/layout"
)

func TestAuditPolicyRecordsEveryWriteAndNoRead(t *testing.T) {
	parsed, err := policy.LoadPolicyFromBytes([]byte(auditPolicy))
	if err != nil {
		t.Fatal(err)
	}
	evaluator := policy.NewPolicyRuleEvaluator(parsed)
	for _, c := range []struct {
		verb, group, resource, subresource string
		want                               audit.Level
	}{
		{"create", "pieced.ch", "piecedtenants", "", audit.LevelRequestResponse},
		{"patch", "pieced.ch", "piecedtenants", "status", audit.LevelRequestResponse},
		{"deletecollection", "pieced.ch", "piecedpackages", "", audit.LevelRequestResponse},
		{"update", "apps", "deployments", "", audit.LevelMetadata},
		{"delete", "", "namespaces", "", audit.LevelMetadata},
		{"get", "pieced.ch", "piecedtenants", "", audit.LevelNone},
		{"list", "pieced.ch", "piecedtenants", "", audit.LevelNone},
		{"watch", "", "pods", "", audit.LevelNone},
	} {
		got := evaluator.EvaluatePolicyRule(authorizer.AttributesRecord{
			User: &user.DefaultInfo{Name: "anyone"}, Verb: c.verb,
			APIGroup: c.group, Resource: c.resource, Subresource: c.subresource, ResourceRequest: true,
		})
		if got.Level != c.want {
			t.Errorf("%s %s/%s: level %s, want %s", c.verb, c.resource, c.subresource, got.Level, c.want)
		}
		if slices.Contains(got.OmitStages, audit.StageResponseComplete) {
			t.Errorf("%s %s: the answer is not recorded", c.verb, c.resource)
		}
		if !slices.Contains(got.OmitStages, audit.StageRequestReceived) {
			t.Errorf("%s %s: recorded twice", c.verb, c.resource)
		}
	}
}

func TestSchedulerConfigIsWhatTheSchedulerReads(t *testing.T) {
	var config kubescheduler.KubeSchedulerConfiguration
	if err := yaml.UnmarshalStrict([]byte(schedulerConfig("/a folder/k")), &config); err != nil {
		t.Fatal(err)
	}
	if config.ClientConnection.Kubeconfig != "/a folder/k" || config.ClientConnection.QPS != clientQPS {
		t.Errorf("client connection: %+v", config.ClientConnection)
	}
	if elect := config.LeaderElection.LeaderElect; elect == nil || *elect {
		t.Error("the only scheduler waits for an election")
	}
}

func TestAuditLogIsOptional(t *testing.T) {
	for _, c := range []struct {
		log  string
		want bool
	}{{"", false}, {"/logs/audit.log", true}} {
		all := All(layout.Dir("/cluster"), Ports{}, Programs{}, c.log)
		command := strings.Join(all[1].Command, " ")
		if got := strings.Contains(command, "--audit-"); got != c.want {
			t.Errorf("audit log %q: %s", c.log, command)
		}
	}
}

func TestNothingListensBeyondLoopback(t *testing.T) {
	ports := Ports{Etcd: 1, APIServer: 2, ControllerManager: 3, Scheduler: 4, Kubelet: 5}
	for i, component := range All(layout.Dir("/cluster"), ports, Programs{}, "") {
		if component.Name != Names[i] {
			t.Errorf("component %d is %s, want %s", i, component.Name, Names[i])
		}
		if !strings.Contains(component.Health, "://127.0.0.1:") {
			t.Errorf("%s: health at %s", component.Name, component.Health)
		}
		if command := strings.Join(component.Command, " "); !strings.Contains(command, "127.0.0.1") {
			t.Errorf("%s listens on every address: %s", component.Name, command)
		}
	}
}

func TestFreePortsAreDistinctAndBelowThoseOfConnections(t *testing.T) {
	ports, err := FreePorts()
	if err != nil {
		t.Fatal(err)
	}
	all := []int{ports.Etcd, ports.APIServer, ports.ControllerManager, ports.Scheduler, ports.Kubelet}
	slices.Sort(all)
	if len(slices.Compact(slices.Clone(all))) != len(all) || all[0] < lowestPort || all[4] >= highestPort {
		t.Errorf("ports %v", all)
	}
}

func TestProgramsComeFromAssetsWhereTheyAre(t *testing.T) {
	assets := func(names ...string) string {
		folder := t.TempDir()
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(folder, name), nil, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		return folder
	}
	for name, c := range map[string]struct {
		assets   string
		external []string
		refused  bool
	}{
		"no assets":        {"", nil, false},
		"as envtest ships": {assets(Etcd, APIServer, "kubectl"), []string{Etcd, APIServer}, false},
		"all":              {assets(Etcd, APIServer, ControllerManager, Scheduler), Names[:4], false},
		"no API server":    {assets(Etcd), nil, true},
		"no folder":        {"/nonexistent", nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			programs, err := FindPrograms("/self", c.assets)
			if (err != nil) != c.refused {
				t.Fatalf("error %v, refused %t", err, c.refused)
			}
			if c.refused {
				return
			}
			for _, component := range Names {
				want := []string{"/self", component}
				if slices.Contains(c.external, component) {
					want = []string{filepath.Join(c.assets, component)}
				}
				if !slices.Equal(programs[component], want) {
					t.Errorf("%s runs %v, want %v", component, programs[component], want)
				}
			}
		})
	}
}
