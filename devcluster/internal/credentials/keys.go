package credentials

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"net"
	"os"
	"time"

	certutil "k8s.io/client-go/util/cert"

	"pieced.ch/devcluster/internal/layout"
)

// renewBefore is how long before its end a serving certificate is replaced at the next start.
const renewBefore = 30 * 24 * time.Hour

// EnsureKeys makes the serving certificate and the service account key where they do not exist, and a new
// certificate when the old one ends soon. now decides what is soon.
func EnsureKeys(dir layout.Dir, now time.Time) error {
	if err := ensureServiceAccountKey(dir.ServiceAccountKey()); err != nil {
		return err
	}
	if servesUntil(dir.ServingCertificate()).After(now.Add(renewBefore)) {
		return nil
	}
	certificate, key, err := certutil.GenerateSelfSignedCertKey("localhost", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	if err != nil {
		return err
	}
	// The certificate is what a later start looks for, so the key is there before it.
	if err := layout.WriteFile(dir.ServingKey(), key); err != nil {
		return err
	}
	return layout.WriteFile(dir.ServingCertificate(), certificate)
}

// servesUntil is the end of a certificate's validity, the zero time for a missing or unreadable one.
func servesUntil(path string) time.Time {
	certificates, err := certutil.CertsFromFile(path)
	if err != nil {
		return time.Time{}
	}
	return certificates[0].NotAfter
}

func ensureServiceAccountKey(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return layout.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}
