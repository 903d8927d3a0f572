package packaging

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// Requests that each service gets.
const requests = 100

// shopUser is somebody else than Sonde's user and root.
const shopUser = "4321"

// checkMeasures sends requests to services that a confined exporter may find hard to
// look into, and demands exact counts under the right names.
func checkMeasures(t *testing.T, m machine, e *harness.Exporter) {
	keys := harness.Certificate(t, servers.Dir(t))
	t.Run("another user's program in /home", func(t *testing.T) {
		shop := startShop(t, m, "/home/shop/parcel-desk")
		visit(t, nil, shop.URL("/hello"), requests)
		e.Expect(t, harness.Server, portOf(shop), harness.Row{
			Labels: harness.Labels{"service_name": "parcel-desk", "http_response_status_code": "200"}, Count: requests,
		})
	})
	t.Run("Go's TLS, in a root of its own", func(t *testing.T) {
		expectSecure(t, e, keys, startVault(t, m, keys), "key-desk")
	})
	t.Run("OpenSSL's TLS, outside", func(t *testing.T) {
		expectSecure(t, e, keys, servers.StartNginx(t, servers.NginxOptions{TLS: &keys.KeyFiles}).Process, "nginx")
	})
}

// startShop starts a service as another user from a directory that only root and
// that user may enter.
func startShop(t testing.TB, m machine, path string) *servers.Process {
	t.Helper()
	m.install(t, release(t).programs.GoServer, path)
	m.run(t, "chown", "-R", shopUser, "/home/shop")
	m.run(t, "chmod", "0700", "/home/shop")
	port := servers.FreePort(t)
	cmd := m.command("setpriv", "--reuid", shopUser, "--regid", shopUser, "--clear-groups", "--", path,
		"-addr", fmt.Sprintf("127.0.0.1:%d", port))
	return servers.GoCommand(t, port, cmd).Process
}

// startVault starts a service whose files are seen in its own mount namespace only,
// as those of a container.
func startVault(t testing.TB, m machine, keys harness.KeyPair) *servers.Process {
	t.Helper()
	const script = `set -e
		mkdir -p /srv/vault
		mount -t tmpfs tmpfs /srv/vault
		cp "$1" /srv/vault/key-desk
		cp "$2" "$3" /srv/vault
		shift 3
		exec chroot /srv/vault /key-desk -cert /cert.pem -key /key.pem "$@"`
	m.install(t, release(t).programs.GoServer, "/srv/goserver")
	for _, file := range []string{keys.Cert, keys.Key} {
		m.write(t, "/srv/"+file, output(t, "cat", file))
	}
	port := servers.FreePort(t)
	vault := servers.GoCommand(t, port, m.command("unshare", "--mount", "sh", "-c", script, "vault",
		"/srv/goserver", "/srv/"+keys.Cert, "/srv/"+keys.Key, "-addr", fmt.Sprintf("127.0.0.1:%d", port))).Process
	vault.Secure = true
	return vault
}

// expectSecure demands that every request is seen once the first one is.
func expectSecure(t *testing.T, e *harness.Exporter, keys harness.KeyPair, server *servers.Process, name string) {
	t.Helper()
	encrypted := portOf(server).With(harness.Labels{"url_scheme": "https", "service_name": name})
	var found string
	defer func() {
		if t.Failed() {
			t.Logf("found:\n%s", found)
		}
	}()
	wait(t, "Sonde sees inside the TLS of "+name, func() bool {
		visit(t, keys.Trust, server.URL("/hello"), 1)
		snap := e.Scrape(t)
		found = snap.Describe(harness.Server, portOf(server)) + snap.Describe("sonde_tls_hidden_info", harness.Labels{})
		return snap.Count(harness.Server, encrypted) > 0
	})
	before := e.Scrape(t).Count(harness.Server, encrypted)
	visit(t, keys.Trust, server.URL("/hello"), requests)
	e.WaitCount(t, harness.Server, encrypted, before+requests)
}

func portOf(p *servers.Process) harness.Labels { return harness.Labels{"server_port": p.PortLabel()} }

// visit sends requests on a connection of their own; trust is nil for plain HTTP.
func visit(t testing.TB, trust *tls.Config, url string, count int) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: trust}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, Timeout: 10 * time.Second}
	for range count {
		resp, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s answered %s (%v), want 200", url, resp.Status, err)
		}
	}
}
