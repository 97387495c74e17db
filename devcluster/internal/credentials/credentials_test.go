package credentials

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	certutil "k8s.io/client-go/util/cert"

	"k8s.io/client-go/tools/clientcmd"

	"pieced.ch/devcluster/internal/layout"
)

func open(t *testing.T) layout.Dir {
	t.Helper()
	dir, err := layout.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTokensAreDistinctAndStay(t *testing.T) {
	dir := open(t)
	first, err := EnsureTokens(dir)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for user, token := range first {
		if other, taken := seen[token]; taken || len(token) < 20 {
			t.Errorf("token of %s: %d characters, the same as that of %q", user, len(token), other)
		}
		seen[token] = user
	}
	second, err := EnsureTokens(dir)
	if err != nil {
		t.Fatal(err)
	}
	for user := range groups {
		if first[user] != second[user] {
			t.Errorf("token of %s changed", user)
		}
	}
}

func TestOnlyAdministratorsAreMasters(t *testing.T) {
	for _, line := range strings.Split(strings.TrimSpace(string(Tokens{Admin: "a", Operator: "o"}.csv())), "\n") {
		want := strings.Contains(line, ",admin,")
		if got := strings.HasSuffix(line, `,"system:masters"`); got != want {
			t.Errorf("line %q", line)
		}
	}
}

func TestDamagedTokensAreRefused(t *testing.T) {
	dir := open(t)
	if err := os.WriteFile(dir.Tokens(), []byte("only,two\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := EnsureTokens(dir); err == nil {
		t.Error("accepted")
	}
}

func TestServingCertificateIsItsOwnAuthorityForLoopback(t *testing.T) {
	dir, now := open(t), time.Now()
	if err := EnsureKeys(dir, now); err != nil {
		t.Fatal(err)
	}
	certificates, err := certutil.CertsFromFile(dir.ServingCertificate())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificates[0])
	for _, name := range []string{"127.0.0.1", "localhost"} {
		options := x509.VerifyOptions{DNSName: name, Roots: roots, CurrentTime: now.AddDate(0, 11, 0)}
		if _, err := certificates[0].Verify(options); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestServingCertificateIsRenewedBeforeItEnds(t *testing.T) {
	made := time.Now()
	for _, c := range []struct {
		later   time.Time
		renewed bool
	}{
		{made.AddDate(0, 10, 0), false},
		{made.AddDate(1, 0, -20), true},
		{made.AddDate(2, 0, 0), true},
	} {
		dir := open(t)
		if err := EnsureKeys(dir, made); err != nil {
			t.Fatal(err)
		}
		before, account := read(t, dir.ServingCertificate()), read(t, dir.ServiceAccountKey())
		if err := EnsureKeys(dir, c.later); err != nil {
			t.Fatal(err)
		}
		if renewed := read(t, dir.ServingCertificate()) != before; renewed != c.renewed {
			t.Errorf("%s: renewed %t", c.later, renewed)
		}
		if read(t, dir.ServiceAccountKey()) != account {
			t.Error("the service account key changed: issued tokens are lost")
		}
	}
}

func TestKubeconfigIsReadAndRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	if err := WriteKubeconfig(path, "https://127.0.0.1:1", []byte("PEM"), Operator, "secret"); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	if config.Host != "https://127.0.0.1:1" || config.BearerToken != "secret" {
		t.Errorf("host %s", config.Host)
	}
	for range 2 { // the second time there is none
		if err := RemoveKubeconfig(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestKubeconfigOfSomebodyElseStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	for _, content := range []string{"", "no: kubeconfig", "current-context: production\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := RemoveKubeconfig(path); err == nil || read(t, path) != content {
			t.Errorf("%q: error %v", content, err)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
