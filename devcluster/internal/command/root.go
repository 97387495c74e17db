// Package command is the command line of the supervisor.
package command

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"pieced.ch/devcluster/internal/layout"
)

// usageError is a command line that cannot be understood: exit status 2.
type usageError struct{ error }

// Run carries out the command line and returns the exit status: 0, 1 for a refusal or failure, 2 for a wrong usage.
func Run(arguments []string) int {
	root := newRoot()
	root.SetArgs(arguments)
	err := root.Execute()
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "devcluster:", err)
	if errors.As(err, new(usageError)) {
		return 2
	}
	return 1
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "devcluster",
		Short: "A Kubernetes control plane in one binary, for development and tests",
		Long: `A Kubernetes control plane in one binary, for development and tests: etcd, API server, controller manager and
scheduler are the real ones; a kubelet is played, so pods become Ready and volumes Bound but no container runs.

The linked programs run as: devcluster kubectl|etcd|kube-apiserver|kube-controller-manager|kube-scheduler ARGUMENTS,
or under their own name through a symbolic link.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:              usage(cobra.NoArgs),
		RunE: func(command *cobra.Command, _ []string) error {
			return usageError{errors.New("name a command; devcluster --help lists them")}
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newUp(), newStatus(), newKubelet())
	root.AddCommand(newActions()...)
	return root
}

func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(command *cobra.Command, arguments []string) error {
		if err := check(command, arguments); err != nil {
			return usageError{err}
		}
		return nil
	}
}

// dirFlag adds the option --dir, which every command on a cluster needs.
func dirFlag(command *cobra.Command) *string {
	dir := command.Flags().String("dir", "", "folder of the cluster's state (required)")
	command.PreRunE = func(*cobra.Command, []string) error {
		if *dir == "" {
			return usageError{errors.New("name the cluster's folder: --dir DIR")}
		}
		return nil
	}
	return dir
}

// existing is the folder of a cluster that was started before.
func existing(path string) (layout.Dir, error) {
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("no cluster runs in %s; start one with: devcluster up --dir %s", path, path)
	}
	return layout.Open(path)
}
