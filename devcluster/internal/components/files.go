package components

import (
	"fmt"

	"pieced.ch/devcluster/internal/layout"
)

// auditPolicy makes the log an independent witness of all writes: those of our group whole, others as metadata.
// The first rule that matches decides.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: None
  verbs: [get, list, watch]
- level: RequestResponse
  resources:
  - group: pieced.ch
- level: Metadata
`

func schedulerConfig(kubeconfig string) string {
	return fmt.Sprintf(`apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection:
  kubeconfig: %q
  qps: %d
  burst: %d
leaderElection:
  leaderElect: false
`, kubeconfig, clientQPS, 2*clientQPS)
}

// WriteFiles writes the configuration files that the components' arguments name.
func WriteFiles(dir layout.Dir) error {
	if err := layout.WriteFile(dir.AuditPolicy(), []byte(auditPolicy)); err != nil {
		return err
	}
	return layout.WriteFile(dir.SchedulerConfig(), []byte(schedulerConfig(dir.Kubeconfig(Scheduler))))
}
