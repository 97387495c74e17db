package command

import (
	"os"
	"path/filepath"
	"syscall"
)

// ReplaceByAssetsKubectl becomes the kubectl of KUBEBUILDER_ASSETS, so that it matches the API server of that folder.
// It returns when there is none, or when that one is a link to this program.
func ReplaceByAssetsKubectl(arguments []string) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		return
	}
	path := filepath.Join(assets, "kubectl")
	there, err := os.Stat(path)
	if err != nil {
		return
	}
	if self, err := os.Stat("/proc/self/exe"); err == nil && os.SameFile(self, there) {
		return
	}
	syscall.Exec(path, append([]string{path}, arguments...), os.Environ()) //nolint:errcheck // then ours runs
}
