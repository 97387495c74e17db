package credentials

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"time"

	certutil "k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"

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
	key, err := newKey()
	if err != nil {
		return err
	}
	certificate, err := selfSigned(key, now)
	if err != nil {
		return err
	}
	// The certificate is what a later start looks for, so the key is there before it.
	if err := layout.WriteFile(dir.ServingKey(), key.pem); err != nil {
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
	key, err := newKey()
	if err != nil {
		return err
	}
	return layout.WriteFile(path, key.pem)
}

type privateKey struct {
	*ecdsa.PrivateKey
	pem []byte
}

func newKey() (privateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return privateKey{}, err
	}
	encoded, err := keyutil.MarshalPrivateKeyToPEM(key)
	return privateKey{key, encoded}, err
}

// selfSigned is the PEM certificate of a server on the loopback address that is its own authority.
func selfSigned(key privateKey, now time.Time) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(now.UnixNano()),
		Subject:               pkix.Name{CommonName: "devcluster"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(1, 0, 0),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames:              []string{"localhost"},
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: certutil.CertificateBlockType, Bytes: der}), nil
}
