package command

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pieced.ch/devcluster/internal/components"
	"pieced.ch/devcluster/internal/control"
)

func newActions() []*cobra.Command {
	var commands []*cobra.Command
	for action, short := range map[control.Action]string{
		control.Stop:  "End one component by SIGTERM; it stays away until it is started",
		control.Kill:  "End one component by SIGKILL; it stays away until it is started",
		control.Start: "Start one component and wait until it is ready",
	} {
		command := &cobra.Command{
			Use:       string(action) + " COMPONENT",
			Short:     short,
			Long:      short + ".\nComponents: " + strings.Join(components.Names, ", "),
			Args:      usage(oneComponent),
			ValidArgs: components.Names,
		}
		dir := dirFlag(command)
		command.RunE = func(_ *cobra.Command, arguments []string) error {
			cluster, err := existing(*dir)
			if err != nil {
				return err
			}
			return control.NewClient(cluster).Do(action, arguments[0])
		}
		commands = append(commands, command)
	}
	return commands
}

func oneComponent(_ *cobra.Command, arguments []string) error {
	if len(arguments) != 1 || !slices.Contains(components.Names, arguments[0]) {
		return fmt.Errorf("name one component: %s", strings.Join(components.Names, ", "))
	}
	return nil
}

func newStatus() *cobra.Command {
	command := &cobra.Command{Use: "status", Short: "Show the state of all components", Args: usage(cobra.NoArgs)}
	dir := dirFlag(command)
	format := command.Flags().StringP("output", "o", "table", "table or json")
	command.RunE = func(command *cobra.Command, _ []string) error {
		if *format != "table" && *format != "json" {
			return usageError{fmt.Errorf("there is no output %q; use table or json", *format)}
		}
		cluster, err := existing(*dir)
		if err != nil {
			return err
		}
		all, err := control.NewClient(cluster).Status()
		if err != nil {
			return err
		}
		if *format == "json" {
			return json.NewEncoder(command.OutOrStdout()).Encode(all)
		}
		return writeTable(command.OutOrStdout(), all)
	}
	return command
}

func writeTable(output io.Writer, all []control.Status) error {
	table := tabwriter.NewWriter(output, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "COMPONENT\tSTATE\tPID\tRESTARTS\tLOG")
	for _, status := range all {
		pid := "-"
		if status.PID != 0 {
			pid = strconv.Itoa(status.PID)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\n", status.Component, status.State, pid, status.Restarts, status.Log)
	}
	return table.Flush()
}
