// Package credentials makes the keys, tokens and kubeconfigs of a cluster.
package credentials

import (
	"crypto/rand"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"pieced.ch/devcluster/internal/layout"
)

// The static users. Admin may do everything; Operator may do nothing until a role is bound to it.
const (
	Admin             = "admin"
	Operator          = "pieced-operator"
	Kubelet           = "devcluster-kubelet"
	ControllerManager = "system:kube-controller-manager"
	Scheduler         = "system:kube-scheduler"
)

const mastersGroup = "system:masters"

var groups = map[string]string{
	Admin:             mastersGroup,
	Operator:          "",
	Kubelet:           mastersGroup,
	ControllerManager: "",
	Scheduler:         "",
}

// Tokens are the bearer tokens by user.
type Tokens map[string]string

// EnsureTokens reads the cluster's tokens, making those that do not exist yet.
func EnsureTokens(dir layout.Dir) (Tokens, error) {
	tokens, err := readTokens(dir.Tokens())
	if err != nil {
		return nil, err
	}
	added := false
	for user := range groups {
		if tokens[user] == "" {
			tokens[user] = rand.Text()
			added = true
		}
	}
	if !added {
		return tokens, nil
	}
	return tokens, layout.WriteFile(dir.Tokens(), tokens.csv())
}

func readTokens(path string) (Tokens, error) {
	tokens := Tokens{}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return tokens, nil
	}
	if err != nil {
		return nil, err
	}
	reader := csv.NewReader(strings.NewReader(string(content)))
	reader.FieldsPerRecord = -1
	records, err := reader.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", path, err)
	}
	for _, record := range records {
		if len(record) < 3 {
			return nil, fmt.Errorf("%s is damaged: a line has fewer than three fields", path)
		}
		tokens[record[1]] = record[0]
	}
	return tokens, nil
}

// csv is the API server's format: token, user, uid, groups.
func (t Tokens) csv() []byte {
	var text strings.Builder
	for user, token := range t {
		line := token + "," + user + "," + user
		if group := groups[user]; group != "" {
			line += `,"` + group + `"`
		}
		text.WriteString(line + "\n")
	}
	return []byte(text.String())
}
