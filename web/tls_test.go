package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// exampleUser and examplePassword are documented in web-config.yml.
const (
	exampleUser     = "prometheus"
	examplePassword = "change-me-please"
)

// writeCertificate makes a self-signed certificate for 127.0.0.1 and returns a
// pool that trusts it.
func writeCertificate(t *testing.T, certFile, keyFile string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	for file, content := range map[string][]byte{certFile: certPEM, keyFile: keyPEM} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return pool
}

// startWithExampleConfig serves with the repository's own web-config.yml, so that
// the example cannot rot.
func startWithExampleConfig(t *testing.T) (address string, client *http.Client) {
	t.Helper()
	directory := t.TempDir()
	content, err := os.ReadFile("../web-config.yml")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(directory, "web-config.yml")
	if err := os.WriteFile(config, content, 0o600); err != nil {
		t.Fatal(err)
	}
	certs := filepath.Join(directory, "certs")
	if err := os.Mkdir(certs, 0o700); err != nil {
		t.Fatal(err)
	}
	pool := writeCertificate(t, filepath.Join(certs, "server.crt"), filepath.Join(certs, "server.key"))

	handler, err := NewHandler(Options{Gather: gatherCounter(t), Status: readExample()})
	if err != nil {
		t.Fatal(err)
	}
	address = freeAddress(t)
	serve(t, handler, flagsFor(config, address))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return address, &http.Client{Transport: transport}
}

func TestTLSAndBasicAuth(t *testing.T) {
	address, client := startWithExampleConfig(t)
	tests := map[string]struct {
		user, password string
		status         int
	}{
		"right password": {exampleUser, examplePassword, http.StatusOK},
		"wrong password": {exampleUser, "guess", http.StatusUnauthorized},
		"unknown user":   {"nobody", examplePassword, http.StatusUnauthorized},
		"no credentials": {"", "", http.StatusUnauthorized},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/", servicesPath, "/metrics", "/-/healthy", "/-/ready"} {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+path, http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				if test.user != "" {
					request.SetBasicAuth(test.user, test.password)
				}
				response, err := client.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close()
				if response.StatusCode != test.status {
					t.Errorf("%s: %d, want %d", path, response.StatusCode, test.status)
				}
			}
		})
	}
}

func TestPlainHTTPIsRefusedWithTLS(t *testing.T) {
	address, _ := startWithExampleConfig(t)
	response, body := fetch(t, http.DefaultClient, http.MethodGet, "http://"+address+"/metrics", nil)
	if response.StatusCode != http.StatusBadRequest || strings.Contains(body, "sonde_test_total") {
		t.Errorf("plain HTTP got %d %q, want 400 and no metrics", response.StatusCode, body)
	}
}
