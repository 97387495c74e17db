package components

import (
	"fmt"
	"strconv"

	"pieced.ch/devcluster/internal/credentials"
	"pieced.ch/devcluster/internal/layout"
)

const (
	// etcdQuotaBytes is the largest that etcd recommends; its default of 2 GiB is small for thousands of tenants.
	etcdQuotaBytes = 8 << 30
	// serviceRange holds a million Services; the default holds 254.
	serviceRange = "10.96.0.0/12"
	// auditLogMegabytes is so large that the log is never rotated: it is a witness and must be whole.
	auditLogMegabytes = 1 << 20
	// clientQPS bounds the requests per second of each controller; the default of 20 takes hours for thousands of tenants.
	clientQPS = 5000
	// controllerWorkers is the number of workers of each controller that tenants keep busy; the default is 5.
	controllerWorkers = 20
)

func etcd(dir layout.Dir, ports Ports) []string {
	client := "http://" + local(ports.Etcd)
	return []string{
		"--name=devcluster",
		"--data-dir=" + dir.Etcd(),
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=http://127.0.0.1:0", // no peers: any free port does
		fmt.Sprintf("--quota-backend-bytes=%d", int64(etcdQuotaBytes)),
		"--unsafe-no-fsync",                                 // survives the death of any process, not of the machine
		"--heartbeat-interval=20", "--election-timeout=100", // milliseconds; the only member need not wait for others
		"--log-level=warn",
	}
}

func apiServer(dir layout.Dir, ports Ports, auditLog string) []string {
	arguments := []string{
		"--etcd-servers=http://" + local(ports.Etcd),
		"--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(ports.APIServer),
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none", // a loopback address is refused as an endpoint
		"--tls-cert-file=" + dir.ServingCertificate(),
		"--tls-private-key-file=" + dir.ServingKey(),
		"--token-auth-file=" + dir.Tokens(),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + dir.ServiceAccountKey(),
		"--service-account-signing-key-file=" + dir.ServiceAccountKey(),
		"--service-cluster-ip-range=" + serviceRange,
		"--shutdown-watch-termination-grace-period=2s", // 0 lets watches hold up a stop for a minute
	}
	if auditLog == "" {
		return arguments
	}
	return append(arguments,
		"--audit-policy-file="+dir.AuditPolicy(),
		"--audit-log-path="+auditLog,
		"--audit-log-mode=blocking", // nothing waits in a buffer when the server dies
		"--audit-log-maxsize="+strconv.Itoa(auditLogMegabytes),
	)
}

func controllerManager(dir layout.Dir, ports Ports) []string {
	arguments := []string{
		"--kubeconfig=" + dir.Kubeconfig(ControllerManager),
		"--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(ports.ControllerManager),
		"--tls-cert-file=" + dir.ServingCertificate(),
		"--tls-private-key-file=" + dir.ServingKey(),
		"--leader-elect=false",
		"--use-service-account-credentials",
		"--service-account-private-key-file=" + dir.ServiceAccountKey(),
		"--root-ca-file=" + dir.ServingCertificate(),
		"--flex-volume-plugin-dir=" + dir.Plugins(), // made when missing, by default in a system folder
		fmt.Sprintf("--kube-api-qps=%d", clientQPS),
		fmt.Sprintf("--kube-api-burst=%d", 2*clientQPS),
	}
	for _, controller := range []string{
		"deployment", "replicaset", "statefulset", "endpoint", "service-endpoint",
		"namespace", "gc", "resource-quota", "serviceaccount-token",
	} {
		arguments = append(arguments, fmt.Sprintf("--concurrent-%s-syncs=%d", controller, controllerWorkers))
	}
	return arguments
}

func scheduler(dir layout.Dir, ports Ports) []string {
	return []string{
		"--config=" + dir.SchedulerConfig(),
		"--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(ports.Scheduler),
		"--tls-cert-file=" + dir.ServingCertificate(),
		"--tls-private-key-file=" + dir.ServingKey(),
	}
}

func kubelet(dir layout.Dir, ports Ports) []string {
	return []string{
		"--kubeconfig=" + dir.Kubeconfig(Kubelet),
		"--health-address=" + local(ports.Kubelet),
	}
}

// Users are the static users as which the components that are clients of the API server act.
var Users = map[string]string{
	ControllerManager: credentials.ControllerManager,
	Scheduler:         credentials.Scheduler,
	Kubelet:           credentials.Kubelet,
}
