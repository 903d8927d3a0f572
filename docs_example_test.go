package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"sonde_exporter/config"
)

// exampleFile is the example in docs/configuration.md.
const exampleFile = "docs/example.yml"

// TestExampleLoads: what a reader copies is accepted as it is.
func TestExampleLoads(t *testing.T) {
	dir := t.TempDir()
	certificate, key := keyPair(t)
	for name, text := range map[string]string{
		"sonde.yml": readText(t, exampleFile), "password": "secret\n", "cloud-key": "secret\n", "headers": "X-Scope-OrgID: shop\n",
		"ca.pem": certificate, "client.pem": certificate, "client-key.pem": key,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := parse(t, "--config.file="+filepath.Join(dir, "sonde.yml"))
	cfg, err := o.config.Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Warnings) > 0 {
		t.Errorf("the example makes Sonde warn: %q", cfg.Warnings)
	}
	if len(cfg.Discovery.Services) != 2 || cfg.Traces.Ratio != 0.1 || cfg.MetricsExport.Headers == nil {
		t.Errorf("the example is read as %+v", cfg)
	}
}

// TestExampleIsComplete: it has every key, or another one that says the same.
func TestExampleIsComplete(t *testing.T) {
	var example map[string]any
	if err := yaml.Unmarshal([]byte(readText(t, exampleFile)), &example); err != nil {
		t.Fatal(err)
	}
	instead := map[string]string{
		"otel_traces_export.headers_file": "headers", "otel_traces_export.basic_auth.password": "password_file",
		"otel_metrics_export.headers": "headers_file", "otel_metrics_export.basic_auth.password": "password_file",
		"grafana.otlp.cloud_api_key": "cloud_api_key_file",
	}
	for _, key := range config.Reference() {
		name := strings.TrimPrefix(key.Section+"."+key.Name, ".")
		path := strings.Split(strings.ReplaceAll(name, "[]", ".[]"), ".")
		if other := instead[name]; other != "" {
			path[len(path)-1] = other
		}
		if !has(example, path) {
			t.Errorf("%s has no %s", exampleFile, strings.Join(path, "."))
		}
	}
}

// has tells whether a value has a key, in any item where the path says [].
func has(value any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	switch value := value.(type) {
	case map[string]any:
		inner, exists := value[path[0]]
		return exists && has(inner, path[1:])
	case []any:
		return path[0] == "[]" && slices.ContainsFunc(value, func(item any) bool { return has(item, path[1:]) })
	}
	return false
}

// keyPair makes a certificate and its key.
func keyPair(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, bytes []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}))
	}
	return block("CERTIFICATE", signed), block("PRIVATE KEY", encoded)
}
