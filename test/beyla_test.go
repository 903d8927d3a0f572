package e2e

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/netlab"
	"sonde_exporter/test/servers"
)

// beylaInstrument is the main form of the documentation of Beyla 3, to the letter.
const beylaInstrument = `discovery:
  instrument:
    - open_ports: 8080
prometheus_export:
  port: 9400
`

// TestBeylaInstrument: the file runs unmodified. The ports are those of a network
// namespace, where nobody else has them.
func TestBeylaInstrument(t *testing.T) {
	config := filepath.Join(servers.Dir(t), "beyla.yml")
	servers.WriteFile(t, config, beylaInstrument)
	for name, c := range map[string]struct {
		args []string
		port int
		said string
	}{
		"the file says the port": {nil, 9400, "listening on port 9400, as prometheus_export.port of the configuration file says"},
		"a flag outranks it": {
			[]string{"--web.listen-address=127.0.0.1:9500"}, 9500,
			"prometheus_export.port of the configuration file has no effect: --web.listen-address and --web.systemd-socket outrank it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			lab, err := netlab.New(netlab.Impairment{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := lab.Close(); err != nil {
					t.Error(err)
				}
			})
			inside := func(program string, args ...string) *exec.Cmd {
				return lab.Server().Command(t.Context(), program, args...)
			}
			web := servers.Start(t, "goserver", 8080, inside(programs(t).GoServer, "-addr", "127.0.0.1:8080"))
			other := servers.Start(t, "goserver", 8081, inside(programs(t).GoServer, "-addr", "127.0.0.1:8081"))
			caller := servers.PeerCommand(t, inside(programs(t).Peer))
			sonde := servers.Start(t, "sonde_exporter", c.port,
				inside(programs(t).Exporter, append([]string{"--config.file=" + config}, c.args...)...))
			e := harness.Attach(sonde.URL(""), &http.Transport{DialContext: lab.Server().DialContext})
			// It listens before it is ready.
			harness.Eventually(t, "Sonde to be ready", func() bool {
				status, _ := e.Get(t, "/-/ready")
				return status == http.StatusOK
			})
			for _, server := range []*servers.Process{other, web} {
				caller.Fetch(t, servers.Fetch{URL: server.URL("/hello"), Requests: 20, Connections: 1})
			}
			snap := e.Expect(t, harness.Server, harness.Labels{"server_port": "8080"}, row(20, "GET", "/hello", "200"))
			if ports := snap.Values(harness.Server, "server_port", nil); !slices.Equal(ports, []string{"8080"}) {
				t.Errorf("measured are the ports %q, want 8080 only", ports)
			}
			if !strings.Contains(sonde.Output(), c.said) {
				t.Errorf("Sonde does not say %q, but:\n%s", c.said, sonde.Output())
			}
		})
	}
}
