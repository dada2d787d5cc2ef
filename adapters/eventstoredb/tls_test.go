package eventstoredb

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/eventstoredb/fakeserver"
)

// TestTLS: with TLS the server is checked against the authority that was named,
// and is told who asks; with discovery too.
func TestTLS(t *testing.T) {
	certificate, authority := certify(t)
	s, err := fakeserver.StartTLS(certificate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	settings := "?tls=true&tlsCaFile=" + url.QueryEscape(authority)
	for i, scheme := range []string{"esdb://", "esdb+discover://"} {
		l := opened(t, scheme+"admin:hunter2@"+s.Address()+settings, idle())
		record(t, l, string(rune('a'+i)), 1)
		if want := "Basic " + base64.StdEncoding.EncodeToString([]byte("admin:hunter2")); s.Credentials() != want {
			t.Errorf("%s: the server was told %q, want %q", scheme, s.Credentials(), want)
		}
		wantEntries(t, l, i+1)
	}
	_, stranger := certify(t)
	_, err = open(soon(t), "esdb://"+s.Address()+"?tls=true&tlsCaFile="+url.QueryEscape(stranger), idle())
	wantUnreached(t, "a server that nobody vouches for", err)
}

// certify makes a certificate for this machine, and the file of the authority that
// vouches for it, which is the certificate itself.
func certify(t *testing.T) (certificate tls.Certificate, authority string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	authority = filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, authority
}
