package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"pieced.ch/devcluster/internal/layout"
)

// Client reaches the supervisor of the cluster in one folder.
type Client struct {
	dir  layout.Dir
	http http.Client
}

// NewClient connects at the first request.
func NewClient(dir layout.Dir) *Client {
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return dial(dir) }}
	return &Client{dir: dir, http: http.Client{Transport: transport}}
}

// Do asks for an action and waits until it is done.
func (c *Client) Do(action Action, component string) error {
	_, err := c.request(http.MethodPost, fmt.Sprintf("/components/%s/%s", component, action))
	return err
}

// Status asks for the state of all components.
func (c *Client) Status() ([]Status, error) {
	body, err := c.request(http.MethodGet, "/status")
	if err != nil {
		return nil, err
	}
	var all []Status
	return all, json.Unmarshal(body, &all)
}

func (c *Client) request(method, path string) ([]byte, error) {
	request, err := http.NewRequest(method, "http://devcluster"+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("no cluster runs in %s; start one with: devcluster up --dir %s", c.dir, c.dir)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("the cluster in %s stopped before it answered", c.dir)
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(strings.TrimSpace(string(body)))
	}
	return body, nil
}
