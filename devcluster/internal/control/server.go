package control

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"pieced.ch/devcluster/internal/layout"
)

// Serve answers commands in the background until the process ends. The socket's mode keeps other users out.
func Serve(dir layout.Dir, cluster Cluster) error {
	listener, err := listen(dir)
	if err != nil {
		return fmt.Errorf("cannot open the control socket: %w", err)
	}
	server := &http.Server{Handler: handler(cluster), ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(listener) //nolint:errcheck // ends with the process
	return nil
}

func handler(cluster Cluster) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(response http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(response).Encode(cluster.Status()) //nolint:errcheck // the client has gone
	})
	mux.HandleFunc("POST /components/{component}/{action}", func(response http.ResponseWriter, request *http.Request) {
		if err := cluster.Do(Action(request.PathValue("action")), request.PathValue("component")); err != nil {
			http.Error(response, err.Error(), http.StatusConflict)
		}
	})
	return mux
}
