package command

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"pieced.ch/devcluster/internal/components"
	"pieced.ch/devcluster/internal/control"
	"pieced.ch/devcluster/internal/credentials"
	"pieced.ch/devcluster/internal/layout"
	"pieced.ch/devcluster/internal/supervisor"
)

func newUp() *cobra.Command {
	command := &cobra.Command{
		Use:   "up",
		Short: "Run a cluster in the foreground until SIGTERM or Ctrl-C",
		Long: `Run a cluster in the foreground until SIGTERM or Ctrl-C. A folder that held a cluster before keeps its objects.
A line that begins with "ready" is printed, and the kubeconfigs exist, from when the cluster can be used.`,
		Args: usage(cobra.NoArgs),
	}
	dir := dirFlag(command)
	kubeconfig := command.Flags().String("kubeconfig", "", "administrator's kubeconfig to write (default DIR/admin.kubeconfig)")
	auditLog := command.Flags().String("audit-log", "", "file to append the API server's audit log to (default none)")
	command.RunE = func(*cobra.Command, []string) error {
		return up(*dir, absolute(*kubeconfig), absolute(*auditLog))
	}
	return command
}

// absolute names the same file for a component that runs in another folder; the empty path, for none, stays empty.
func absolute(path string) string {
	if path == "" {
		return ""
	}
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return path // without a current folder no relative path means anything
}

func up(path, kubeconfig, auditLog string) error {
	startedAt := time.Now()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	cluster, err := prepare(path, kubeconfig, auditLog)
	if err != nil {
		return err
	}
	defer cluster.lock.Close()
	running, err := cluster.supervisor()
	if err != nil {
		return err
	}
	defer running.StopAll()
	err = cluster.start(ctx, running)
	if ctx.Err() != nil {
		return nil // asked to stop while it started
	}
	if err != nil {
		return err
	}
	defer cluster.forgetKubeconfigs() //nolint:errcheck // their absence says that nothing runs; it is no promise
	fmt.Printf("ready in %.1f s: KUBECONFIG=%s\n", time.Since(startedAt).Seconds(), cluster.kubeconfig)
	<-ctx.Done()
	return nil
}

// preparedCluster is a locked folder with all that the components read.
type preparedCluster struct {
	dir        layout.Dir
	lock       *os.File
	kubeconfig string // the administrator's
	authority  []byte
	tokens     credentials.Tokens
	ports      components.Ports
	components []components.Component
}

func prepare(path, kubeconfig, auditLog string) (*preparedCluster, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	programs, err := components.FindPrograms(self, os.Getenv("KUBEBUILDER_ASSETS"))
	if err != nil {
		return nil, err
	}
	dir, err := layout.Open(path)
	if err != nil {
		return nil, err
	}
	lock, err := dir.Acquire()
	if err != nil {
		return nil, err
	}
	if kubeconfig == "" {
		kubeconfig = dir.Kubeconfig(credentials.Admin)
	}
	cluster := &preparedCluster{dir: dir, lock: lock, kubeconfig: kubeconfig}
	if err := cluster.writeFiles(); err != nil {
		return nil, err
	}
	if cluster.ports, err = components.FreePorts(); err != nil {
		return nil, err
	}
	cluster.components = components.All(dir, cluster.ports, programs, auditLog)
	return cluster, nil
}

func (c *preparedCluster) writeFiles() error {
	var err error
	if err = c.forgetKubeconfigs(); err != nil {
		return err
	}
	if err = credentials.EnsureKeys(c.dir, time.Now()); err != nil {
		return err
	}
	if c.authority, err = os.ReadFile(c.dir.ServingCertificate()); err != nil {
		return err
	}
	if c.tokens, err = credentials.EnsureTokens(c.dir); err != nil {
		return err
	}
	return components.WriteFiles(c.dir)
}

func (c *preparedCluster) supervisor() (*supervisor.Supervisor, error) {
	running, err := supervisor.New(c.dir, c.components, c.authority)
	if err != nil {
		return nil, err
	}
	for component, user := range components.Users {
		if err := c.writeKubeconfig(c.dir.Kubeconfig(component), user); err != nil {
			return nil, err
		}
	}
	return running, control.Serve(c.dir, running)
}

// start runs all components and, when a pod could be created, writes the kubeconfigs of the users.
func (c *preparedCluster) start(ctx context.Context, running *supervisor.Supervisor) error {
	if err := running.StartAll(ctx); err != nil {
		return err
	}
	if err := running.AwaitUsable(ctx, c.ports.Server(), c.tokens[credentials.Admin]); err != nil {
		return err
	}
	if err := c.writeKubeconfig(c.operatorKubeconfig(), credentials.Operator); err != nil {
		return err
	}
	return c.writeKubeconfig(c.kubeconfig, credentials.Admin)
}

func (c *preparedCluster) writeKubeconfig(path, user string) error {
	return credentials.WriteKubeconfig(path, c.ports.Server(), c.authority, user, c.tokens[user])
}

// forgetKubeconfigs removes the kubeconfigs of the users: while they exist, the cluster can be used.
func (c *preparedCluster) forgetKubeconfigs() error {
	if err := credentials.RemoveKubeconfig(c.operatorKubeconfig()); err != nil {
		return err
	}
	return credentials.RemoveKubeconfig(c.kubeconfig)
}

func (c *preparedCluster) operatorKubeconfig() string { return c.dir.Kubeconfig("operator") }
