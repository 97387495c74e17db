// Devcluster is a Kubernetes control plane in one binary, for development and tests.
package main

import (
	"os"
	"path/filepath"

	"pieced.ch/devcluster/embedded"
	"pieced.ch/devcluster/internal/command"
)

func main() {
	run, linked := embedded.Programs[filepath.Base(os.Args[0])]
	if !linked && len(os.Args) > 1 {
		if run, linked = embedded.Programs[os.Args[1]]; linked {
			os.Args = os.Args[1:]
		}
	}
	if !linked {
		os.Exit(command.Run(os.Args[1:]))
	}
	if filepath.Base(os.Args[0]) == "kubectl" {
		command.ReplaceByAssetsKubectl(os.Args[1:])
	}
	os.Exit(run())
}
