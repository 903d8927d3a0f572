package e2e

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// TestExportSecurity: TLS, client certificates and passwords, right and wrong, over
// both protocols.
func TestExportSecurity(t *testing.T) {
	own, client, stranger := harness.Certificate(t, servers.Dir(t)), harness.Certificate(t, servers.Dir(t)), harness.Certificate(t, servers.Dir(t))
	passwordFile := filepath.Join(servers.Dir(t), "password")
	servers.WriteFile(t, passwordFile, secret+"\n")
	trust := fmt.Sprintf("ca_file: %s, server_name: localhost", own.Cert)
	certificate := func(pair harness.KeyPair) string {
		return fmt.Sprintf("cert_file: %s, key_file: %s", pair.Cert, pair.Key)
	}
	overTLS := harness.ReceiverOptions{Keys: &own.KeyFiles}
	mutual := harness.ReceiverOptions{Keys: &own.KeyFiles, ClientCA: client.Cert}
	withPassword := harness.ReceiverOptions{Keys: &own.KeyFiles, User: "sonde", Password: secret}
	for _, c := range []struct {
		name     string
		receiver harness.ReceiverOptions
		settings []string
		isIn     bool
	}{
		{"TLS", overTLS, []string{"tls: { " + trust + " }"}, true},
		{"TLS with another authority", overTLS, []string{"tls: { ca_file: " + stranger.Cert + ", server_name: localhost }"}, false},
		{"TLS with another name", overTLS, []string{"tls: { ca_file: " + own.Cert + ", server_name: example.com }"}, false},
		{"TLS unchecked", overTLS, []string{"tls: { insecure_skip_verify: true }"}, true},
		{"client certificate", mutual, []string{"tls: { " + trust + ", " + certificate(client) + " }"}, true},
		{"no client certificate", mutual, []string{"tls: { " + trust + " }"}, false},
		{"another client certificate", mutual, []string{"tls: { " + trust + ", " + certificate(stranger) + " }"}, false},
		{"password", withPassword, []string{"tls: { " + trust + " }", "basic_auth: { username: sonde, password: " + secret + " }"}, true},
		{"password in a file", withPassword, []string{"tls: { " + trust + " }", "basic_auth: { username: sonde, password_file: " + passwordFile + " }"}, true},
		{"password in a header", withPassword, []string{
			"tls: { " + trust + " }", "headers: { Authorization: \"Basic " + base64.StdEncoding.EncodeToString([]byte("sonde:"+secret)) + "\" }",
		}, true},
		{"wrong password", withPassword, []string{"tls: { " + trust + " }", "basic_auth: { username: sonde, password: wrong }"}, false},
		{"no password", withPassword, []string{"tls: { " + trust + " }"}, false},
	} {
		for protocol, config := range tracesBy {
			t.Run(c.name+" over "+protocol, func(t *testing.T) {
				web := servers.Go(t, programs(t).GoServer)
				r := receiver(t, c.receiver)
				services := selection(map[string]*servers.Process{"web": web.Process})
				x := tracing{receiver: r, Exporter: exporter(t, harness.Options{Config: services + config(r, append(c.settings, everything())...)})}
				hello(t, web, 5)
				x.expectMetrics(t, web, 5)
				expectExport(t, x, c.isIn, c.receiver.User != "")
			})
		}
	}
}

// expectExport checks whether five spans get in, and that the log keeps secrets.
func expectExport(t *testing.T, x tracing, isIn, asksForPassword bool) {
	t.Helper()
	if isIn {
		x.receiver.WaitSpans(t, 5, harness.Of("web", "Server"))
		if a := x.waitAccount(t, 5); a.exported != 5 {
			t.Errorf("%+v, want all exported", a)
		}
	} else {
		x.Eventually(t, "a failure in its log", func(harness.Snapshot) bool {
			return strings.Contains(x.Log(), "WARN") || strings.Contains(x.Log(), "ERROR")
		})
		if a := accountOf(x.Scrape(t)); a.exported != 0 || x.receiver.Counts(t).Spans != 0 {
			t.Errorf("%+v; the receiver has %+v; want nothing exported", a, x.receiver.Counts(t))
		}
		if asksForPassword {
			// A wrong password does not become right by trying.
			if a, c := x.waitAccount(t, 5), x.receiver.Counts(t); a.failed != 5 || c.Unauthorized == 0 || c.Unauthorized > 5 {
				t.Errorf("%+v; the receiver has %+v; want all failed, none tried again", a, c)
			}
		}
	}
	_, page := x.Get(t, "/")
	for where, text := range map[string]string{"log": x.Log(), "status page": page} {
		if strings.Contains(text, secret) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte("sonde:"+secret))) {
			t.Errorf("the %s tells the password:\n%s", where, text)
		}
	}
}

// TestExportRequests: what else can be set about requests arrives.
func TestExportRequests(t *testing.T) {
	for _, compression := range []string{"gzip", "none"} {
		t.Run(compression, func(t *testing.T) {
			settings := []string{everything(), "headers: { X-Scope-OrgID: shop }", "compression: " + compression}
			byProtocol(t, settings, func(t *testing.T, x tracing, web *servers.GoServer) {
				hello(t, web, 1)
				x.receiver.WaitSpans(t, 1, harness.Of("web", "Server"))
				want := compression
				if want == "none" {
					want = ""
				}
				for _, r := range x.receiver.Requests(t) {
					got := r.Compression
					if got == "identity" {
						got = ""
					}
					if got != want || r.Headers["x-scope-orgid"] != "shop" || !strings.HasPrefix(strings.ToLower(r.Headers["user-agent"]), "sonde") {
						t.Errorf("a request has the compression %q and the headers %v", r.Compression, r.Headers)
					}
				}
			})
		})
	}
}
