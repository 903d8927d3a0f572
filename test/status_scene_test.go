package e2e

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// hostile is the name of a service that would like to be markup. In pictures for
// the documentation it is an honest one.
func hostile() string {
	if os.Getenv(screenshotsVariable) != "" {
		return "search"
	}
	return `<script>alert(1)</script>`
}

// scene is a host as people have it: a shop of several services, one whose TLS
// stays hidden, one that speaks more than HTTP/1, one that is left out, and a
// Sonde behind TLS and a password.
type scene struct {
	*harness.Exporter
	trust                                                                          *tls.Config
	storefront, checkout, orders, billing, payments, ledger, chat, strange, backup *servers.Process
	// late is the port of one more service, which is not there at first.
	late int
	// sent is how many requests were sent to each service by its name.
	sent map[string]uint64
}

// screenshotsVariable names the directory that pictures of the page go to.
const screenshotsVariable = "SONDE_SCREENSHOTS"

const (
	viewer         = "viewer"
	viewerPassword = "let-me-look"
	// exportSecret must not be on the page: it is in headers of an export.
	exportSecret = "s3cr3t-t0k3n"
)

// playScene starts everything, and returns when all requests are counted.
func playScene(t *testing.T) scene {
	t.Helper()
	keys := newKeys(t)
	goserver := func(name string, flags ...string) *servers.Process {
		return shopServer(t, name, servers.FreePort(t), flags...)
	}
	s := scene{
		trust: keys.Trust, orders: servers.PythonApp(t), billing: servers.Node(t), late: servers.FreePort(t), sent: map[string]uint64{},
	}
	s.checkout = goserver("checkout", "-upstream", "http://"+s.orders.Addr())
	s.storefront = servers.StartNginx(t, servers.NginxOptions{Upstream: s.checkout.Addr()}).Process
	s.payments = goserver("payments", "-cert", keys.Cert, "-key", keys.Key)
	s.payments.Secure = true
	s.ledger = servers.Lighttpd(t, servers.NSS, keys.KeyFiles, "OTEL_SERVICE_NAME=ledger")
	s.chat, s.strange = goserver("chat"), goserver(hostile())
	s.backup = servers.PythonModule(t, servers.Dir(t))
	s.Exporter = exporter(t, harness.Options{
		Config: s.config(), Env: []string{"SONDE_OTEL_TRACES_EXPORT_HEADERS=X-Token=" + exportSecret},
		Args:   []string{"--web.config.file=" + protect(t, keys), "--no-collector.map"},
		Access: harness.Access{TLS: keys.Trust, User: viewer, Password: viewerPassword},
	})
	s.play(t, keys)
	return s
}

// shopServer starts a service of the shop that is written in Go.
func shopServer(t *testing.T, name string, port int, flags ...string) *servers.Process {
	t.Helper()
	flags = append([]string{"-addr", fmt.Sprintf("127.0.0.1:%d", port)}, flags...)
	env := []string{"OTEL_SERVICE_NAME=" + name, "OTEL_RESOURCE_ATTRIBUTES=service.namespace=shop"}
	return servers.Start(t, name, port, servers.NewCommand(programs(t).GoServer, env, flags...))
}

// config selects the services of the scene, so that others of this host do not
// matter, and exports spans to where nobody listens.
func (s scene) config() string {
	ports := []string{fmt.Sprint(s.late)}
	for _, p := range s.selected()[1:] {
		ports = append(ports, p.PortLabel())
	}
	return fmt.Sprintf(`discovery:
  services:
    - open_port: %d
      service_name: storefront
      service_namespace: shop
    - open_port: [%s]
  exclude:
    - open_port: %d
otel_traces_export:
  endpoint: http://127.0.0.1:1/path-%s
  sampler: {name: always_off}
`, s.storefront.Port, strings.Join(ports, ", "), s.backup.Port, exportSecret)
}

// selected are the services that are measured, storefront first.
func (s scene) selected() []*servers.Process {
	return []*servers.Process{s.storefront, s.checkout, s.orders, s.billing, s.payments, s.ledger, s.chat, s.strange}
}

// protect writes a web configuration with TLS and a password.
func protect(t *testing.T, keys harness.KeyPair) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(viewerPassword), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := servers.Dir(t) + "/web.yml"
	servers.WriteFile(t, file, fmt.Sprintf("tls_server_config: {cert_file: %s, key_file: %s}\nbasic_auth_users: {%s: %s}\n",
		keys.Cert, keys.Key, viewer, hash))
	return file
}

// play sends requests, each kind to a service that is there for it.
func (s scene) play(t *testing.T, keys harness.KeyPair) {
	t.Helper()
	client := visitor(t, keys, visiting{})
	send := func(name string, to *servers.Process, path string, total int) {
		t.Helper()
		visits(t, client, total, http.MethodGet, to.URL(path), 0)
		s.sent[name] += uint64(total)
	}
	send("storefront", s.storefront, "/up/call", 300) // which asks checkout, which asks orders
	send("storefront", s.storefront, "/small.txt", 1500)
	s.sent["checkout"] = 300
	send("checkout", s.checkout, "/sleep/30", 90)
	send("checkout", s.checkout, "/status/500", 9)
	s.sent["orders"] = 300
	send("orders", s.orders, "/sleep/12", 120)
	send("billing", s.billing, "/invoices", 400)
	send("billing", s.billing, "/broken", 2)
	send("chat", s.chat, "/sleep/30", 40)
	send(hostile(), s.strange, "/", 25)
	visits(t, client, 12, http.MethodGet, s.ledger.URL("/small.txt"), 0)
	send("backup", s.backup, "/", 5)
	warm(t, s.Exporter, keys, s.payments)
	send("payments", s.payments, "/bytes/2000", 300)
	say(t, s.chat, "GET /upgrade HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	s.sent["chat"]++
	say(t, s.chat, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	say(t, s.chat, "SSH-2.0-OpenSSH_9.2\r\n")
	for name, p := range map[string]*servers.Process{
		"storefront": s.storefront, "checkout": s.checkout, "orders": s.orders, "billing": s.billing, "chat": s.chat, hostile(): s.strange,
	} {
		s.WaitCount(t, harness.Server, at(p), s.sent[name])
	}
	s.Eventually(t, "the connections of chat", func(snap harness.Snapshot) bool {
		return snap.Value("sonde_connections_total", harness.Labels{"service_name": "chat", "visible": "false"}) == 3
	})
}

// say sends something, and does not care for the answer.
func say(t *testing.T, to *servers.Process, text string) {
	t.Helper()
	conn := servers.Dial(t, to.Addr())
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Read(make([]byte, 512))
}

// The parts of the API that the tests look at.
type (
	apiAnswer struct {
		Status   string
		Data     apiData
		Warnings []string
		Error    string
	}
	apiData struct {
		Services   []apiService
		Excluded   []apiExcluded
		Collectors []apiFeature
		Exports    []apiFeature
		Window     struct {
			Seconds float64
			Since   string
		}
		Cost struct {
			Kernel struct {
				CPURatio float64 `json:"cpu_ratio"`
			}
			Losses []struct {
				Reason, Of, Meaning string
				Count               uint64 `json:"count_total"`
			}
		}
	}
	apiExcluded struct {
		PID    int
		Reason string
	}
	apiFeature struct {
		Name, Signal, Endpoint, Reason string
		On                             bool
	}
	apiService struct {
		Name, Namespace string
		NamedBy         []string `json:"named_by"`
		Instances       []struct {
			PID        int
			Executable string
		}
		Ports []struct {
			Port      int
			Protocols []struct {
				Protocol    string
				TLS         bool
				Connections uint64 `json:"connections_total"`
			}
		}
		Server, Client apiRequests
		NotMeasured    []struct {
			Role, Protocol string
			Connections    uint64 `json:"connections_total"`
			Reasons        []string
		} `json:"not_measured"`
	}
	apiRequests struct {
		Total         uint64   `json:"requests_total"`
		ErrorsTotal   uint64   `json:"errors_total"`
		WindowSeconds float64  `json:"window_seconds"`
		InWindow      uint64   `json:"window_requests"`
		PerSecond     float64  `json:"requests_per_second"`
		ErrorRatio    *float64 `json:"error_ratio"`
		P50           *float64 `json:"p50_seconds"`
		P95           *float64 `json:"p95_seconds"`
		P99           *float64 `json:"p99_seconds"`
	}
)

// api asks the API.
func (s scene) api(t *testing.T, query string) apiAnswer {
	t.Helper()
	status, body := s.Get(t, "/api/v1/services"+query)
	var answer apiAnswer
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK || answer.Status != "success" {
		t.Fatalf("the API answers %d %s (%v)", status, body, err)
	}
	return answer
}

// service is the service of this name, which has to be there.
func (a apiAnswer) service(t *testing.T, name string) apiService {
	t.Helper()
	for _, service := range a.Data.Services {
		if service.Name == name {
			return service
		}
	}
	t.Fatalf("the API has no service %q", name)
	return apiService{}
}
