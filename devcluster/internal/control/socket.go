package control

import (
	"fmt"
	"net"
	"os"

	"pieced.ch/devcluster/internal/layout"
)

// withSocketPath calls use with a path of the control socket that is short enough for the kernel, which takes 107 bytes
// at most: the folder is named by a file descriptor.
func withSocketPath[T any](dir layout.Dir, use func(path string) (T, error)) (T, error) {
	folder, err := os.Open(string(dir))
	if err != nil {
		var none T
		return none, err
	}
	defer folder.Close()
	return use(fmt.Sprintf("/proc/self/fd/%d/control.sock", folder.Fd()))
}

func listen(dir layout.Dir) (net.Listener, error) {
	return withSocketPath(dir, func(path string) (net.Listener, error) {
		os.Remove(path) // left behind by a supervisor that was killed
		listener, err := net.Listen("unix", path)
		if err != nil {
			return nil, err
		}
		listener.(*net.UnixListener).SetUnlinkOnClose(false) // the path ends with the file descriptor
		return listener, os.Chmod(path, 0o600)
	})
}

func dial(dir layout.Dir) (net.Conn, error) {
	return withSocketPath(dir, func(path string) (net.Conn, error) { return net.Dial("unix", path) })
}
