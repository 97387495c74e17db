package components

import (
	"fmt"
	"os"
	"path/filepath"
)

// Programs are the program and first arguments by component.
type Programs map[string][]string

// FindPrograms runs every component from this binary, self. When assets is not empty (KUBEBUILDER_ASSETS, the
// convention of envtest) etcd and kube-apiserver must be in that folder and run from there; the controller manager
// and the scheduler do when they are there.
func FindPrograms(self, assets string) (Programs, error) {
	programs := Programs{}
	for _, name := range Names {
		programs[name] = []string{self, name}
	}
	if assets == "" {
		return programs, nil
	}
	for _, name := range []string{Etcd, APIServer, ControllerManager, Scheduler} {
		path := filepath.Join(assets, name)
		if executable(path) {
			programs[name] = []string{path}
		} else if name == Etcd || name == APIServer {
			return nil, fmt.Errorf("KUBEBUILDER_ASSETS names %s, which has no executable %s; correct the variable or unset it",
				assets, name)
		}
	}
	return programs, nil
}

func executable(path string) bool {
	found, err := os.Stat(path)
	return err == nil && found.Mode().IsRegular() && found.Mode().Perm()&0o111 != 0
}
