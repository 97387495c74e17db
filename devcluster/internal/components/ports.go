package components

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are drawn below Linux's range for outgoing connections (32768 and up): a port from that range could be taken by
// a connection of the cluster itself while its component is stopped.
const lowestPort, highestPort = 20000, 32000

// FreePorts draws a free loopback port for each component.
func FreePorts() (Ports, error) {
	var ports Ports
	taken := map[int]bool{}
	for _, port := range []*int{
		&ports.Etcd, &ports.APIServer, &ports.ControllerManager, &ports.Scheduler, &ports.Kubelet,
	} {
		free, err := freePort(taken)
		if err != nil {
			return Ports{}, err
		}
		*port = free
		taken[free] = true
	}
	return ports, nil
}

func freePort(taken map[int]bool) (int, error) {
	for range 1000 {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		if taken[port] {
			continue
		}
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, listener.Close()
		}
	}
	return 0, errors.New("no free port on 127.0.0.1 between 20000 and 32000")
}
