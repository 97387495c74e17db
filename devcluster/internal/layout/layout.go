// Package layout says where a cluster keeps its files.
package layout

import (
	"fmt"
	"os"
	"path/filepath"
)

// Dir is the folder that holds all state of one cluster.
type Dir string

// Open makes the folder, readable by its owner only, and returns it as an absolute path.
func Open(path string) (Dir, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	dir := Dir(absolute)
	for _, folder := range []string{absolute, dir.Logs()} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return "", fmt.Errorf("cannot create %s: %w", folder, err)
		}
	}
	return dir, nil
}

func (d Dir) join(name string) string { return filepath.Join(string(d), name) }

// Lock is held while a supervisor runs; it contains the supervisor's process id.
func (d Dir) Lock() string { return d.join("lock") }

// Etcd is the data folder of etcd.
func (d Dir) Etcd() string { return d.join("etcd") }

// Logs is the folder of the log files, one per component.
func (d Dir) Logs() string { return d.join("logs") }

// Log is the log file of one component.
func (d Dir) Log(component string) string { return filepath.Join(d.Logs(), component+".log") }

// ServingCertificate is the API server's certificate and, being self-signed, its own authority.
func (d Dir) ServingCertificate() string { return d.join("apiserver.crt") }

// ServingKey is the private key of ServingCertificate.
func (d Dir) ServingKey() string { return d.join("apiserver.key") }

// ServiceAccountKey signs the tokens of service accounts.
func (d Dir) ServiceAccountKey() string { return d.join("service-account.key") }

// Tokens is the API server's file of static users.
func (d Dir) Tokens() string { return d.join("tokens.csv") }

// AuditPolicy is the API server's audit policy.
func (d Dir) AuditPolicy() string { return d.join("audit-policy.yaml") }

// SchedulerConfig is the scheduler's configuration file.
func (d Dir) SchedulerConfig() string { return d.join("scheduler.yaml") }

// Plugins is the controller manager's folder of volume plugins, which stays empty.
func (d Dir) Plugins() string { return d.join("plugins") }

// Kubeconfig is the kubeconfig of one of the static users.
func (d Dir) Kubeconfig(user string) string { return d.join(user + ".kubeconfig") }
