package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"google.golang.org/grpc/credentials"
)

// keyPair is a certificate that signs itself.
type keyPair struct {
	cert, key string
	pair      tls.Certificate
	pool      *x509.CertPool
}

func newKeyPair(t *testing.T, name string) keyPair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	k := keyPair{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), pool: x509.NewCertPool()}
	for path, block := range map[string]*pem.Block{
		k.cert: {Type: "CERTIFICATE", Bytes: der}, k.key: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if k.pair, err = tls.LoadX509KeyPair(k.cert, k.key); err != nil {
		t.Fatal(err)
	}
	k.pool.AddCert(k.pair.Leaf)
	return k
}

// over is a client with TLS that never tries twice.
func over(config *tls.Config) clientOptions {
	return clientOptions{
		grpc: []otlptracegrpc.Option{
			otlptracegrpc.WithTLSCredentials(credentials.NewTLS(config)), otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{}),
		},
		http: []otlptracehttp.Option{
			otlptracehttp.WithTLSClientConfig(config), otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}),
		},
	}
}

// TestTLS: who gets in with which certificate.
func TestTLS(t *testing.T) {
	own, client, stranger := newKeyPair(t, "endpoint"), newKeyPair(t, "sonde"), newKeyPair(t, "stranger")
	open := newBench(t, settings{cert: own.cert, key: own.key})
	mutual := newBench(t, settings{cert: own.cert, key: own.key, clientCA: client.cert})
	for _, c := range []struct {
		name        string
		bench       bench
		options     clientOptions
		isIn        bool
		certificate string
	}{
		{"trusts the endpoint", open, over(&tls.Config{RootCAs: own.pool}), true, ""},
		{"trusts another", open, over(&tls.Config{RootCAs: stranger.pool}), false, ""},
		{"without TLS", open, plain(), false, ""},
		{"with the client's certificate", mutual, over(&tls.Config{RootCAs: own.pool, Certificates: []tls.Certificate{client.pair}}), true, "sonde"},
		{"with a stranger's certificate", mutual, over(&tls.Config{RootCAs: own.pool, Certificates: []tls.Certificate{stranger.pair}}), false, ""},
		{"without a certificate", mutual, over(&tls.Config{RootCAs: own.pool}), false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.bench.each(t, c.options, func(t *testing.T, client otlptrace.Client) {
				if err := upload(t, client, 1, 1); (err == nil) != c.isIn {
					t.Fatalf("got %v, want success: %t", err, c.isIn)
				}
				requests := get[[]request](t, c.bench, "/requests")
				if c.isIn && (len(requests) != 1 || requests[0].Certificate != c.certificate) {
					t.Errorf("got %+v, want one request with the certificate %q", requests, c.certificate)
				}
				if !c.isIn && len(requests) != 0 {
					t.Errorf("got %+v, want no request", requests)
				}
			})
		})
	}
}

// TestBasicAuth: who gets in with which password.
func TestBasicAuth(t *testing.T) {
	b := newBench(t, settings{user: "sonde", password: "a:secret"})
	for credentials, isIn := range map[string]bool{"sonde:a:secret": true, "sonde:secret": false, "": false} {
		t.Run(credentials, func(t *testing.T) {
			o := plain()
			if credentials != "" {
				header := map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))}
				o.grpc = append(o.grpc, otlptracegrpc.WithHeaders(header))
				o.http = append(o.http, otlptracehttp.WithHeaders(header))
			}
			b.each(t, o, func(t *testing.T, client otlptrace.Client) {
				if err := upload(t, client, 1, 1); (err == nil) != isIn {
					t.Fatalf("got %v, want success: %t", err, isIn)
				}
				got := get[counts](t, b, "/counts")
				if isIn && (got.Spans != 1 || got.Unauthorized != 0) || !isIn && (got.Spans != 0 || got.Unauthorized != 1) {
					t.Errorf("got %+v", got)
				}
			})
		})
	}
}
