package credentials

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"pieced.ch/devcluster/internal/layout"
)

// contextName marks the kubeconfigs that this program wrote.
const contextName = "devcluster"

// WriteKubeconfig writes a kubeconfig of one user, complete in itself: it refers to no other file.
func WriteKubeconfig(path, server string, authority []byte, user, token string) error {
	config := api.NewConfig()
	config.Clusters[contextName] = &api.Cluster{Server: server, CertificateAuthorityData: authority}
	config.AuthInfos[user] = &api.AuthInfo{Token: token}
	config.Contexts[contextName] = &api.Context{Cluster: contextName, AuthInfo: user}
	config.CurrentContext = contextName
	content, err := clientcmd.Write(*config)
	if err != nil {
		return err
	}
	return layout.WriteFile(path, content)
}

// RemoveKubeconfig removes a kubeconfig of an earlier start. It refuses a file that is somebody else's.
func RemoveKubeconfig(path string) error {
	config, err := clientcmd.LoadFromFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || len(config.Contexts) != 1 || config.CurrentContext != contextName {
		return fmt.Errorf("%s exists and was not written by devcluster; name another file or remove it", path)
	}
	return os.Remove(path)
}
