package command

import (
	"github.com/spf13/cobra"

	"pieced.ch/devcluster/internal/kubelet"
)

func newKubelet() *cobra.Command {
	command := &cobra.Command{
		Use:    "kubelet",
		Short:  "Play the node of a cluster; the supervisor runs it",
		Hidden: true,
		Args:   usage(cobra.NoArgs),
	}
	kubeconfig := command.Flags().String("kubeconfig", "", "kubeconfig of the node's user")
	address := command.Flags().String("health-address", "", "loopback address of /healthz")
	command.RunE = func(*cobra.Command, []string) error { return kubelet.Run(*kubeconfig, *address) }
	return command
}
