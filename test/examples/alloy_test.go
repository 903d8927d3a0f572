package examples

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/grafana/alloy/syntax/alloytypes"
	"github.com/grafana/alloy/syntax/ast"
	"github.com/grafana/alloy/syntax/parser"
	"github.com/grafana/alloy/syntax/vm"
)

const alloyFile = "../../examples/alloy/config.alloy"

// The components below are those of config.alloy, with the arguments that it uses,
// as https://grafana.com/docs/alloy/latest/reference/components/ has them. The
// parser refuses what they do not have, and misses what they require.

// input and handler are what components hand to each other: opaque to the parser,
// and not to be mixed up.
type (
	input   struct{}
	handler struct{}
)

func (input) AlloyCapsule()   {}
func (handler) AlloyCapsule() {}

type basicAuth struct {
	Username string            `alloy:"username,attr,optional"`
	Password alloytypes.Secret `alloy:"password,attr,optional"`
}

type prometheusScrape struct {
	Targets         []map[string]string `alloy:"targets,attr"`
	ForwardTo       []input             `alloy:"forward_to,attr"`
	JobName         string              `alloy:"job_name,attr,optional"`
	Scheme          string              `alloy:"scheme,attr,optional"`
	Interval        string              `alloy:"scrape_interval,attr,optional"`
	Timeout         string              `alloy:"scrape_timeout,attr,optional"`
	NativeHistogram bool                `alloy:"scrape_native_histograms,attr,optional"`
	Classic         bool                `alloy:"scrape_classic_histograms,attr,optional"`
	Protocols       []string            `alloy:"scrape_protocols,attr,optional"`
	BasicAuth       *basicAuth          `alloy:"basic_auth,block,optional"`
	TLS             *struct {
		CAFile string `alloy:"ca_file,attr,optional"`
	} `alloy:"tls_config,block,optional"`
}

type prometheusRemoteWrite struct {
	Endpoints []struct {
		URL              string     `alloy:"url,attr"`
		NativeHistograms bool       `alloy:"send_native_histograms,attr,optional"`
		BasicAuth        *basicAuth `alloy:"basic_auth,block,optional"`
	} `alloy:"endpoint,block,optional"`
}

type address struct {
	Endpoint string `alloy:"endpoint,attr,optional"`
}

type output struct {
	Metrics []input `alloy:"metrics,attr,optional"`
	Logs    []input `alloy:"logs,attr,optional"`
	Traces  []input `alloy:"traces,attr,optional"`
}

type receiverOTLP struct {
	GRPC   *address `alloy:"grpc,block,optional"`
	HTTP   *address `alloy:"http,block,optional"`
	Output output   `alloy:"output,block"`
}

type processorBatch struct {
	Output output `alloy:"output,block"`
}

type exporterOTLP struct {
	Client struct {
		Endpoint string  `alloy:"endpoint,attr"`
		Auth     handler `alloy:"auth,attr,optional"`
	} `alloy:"client,block"`
}

type authBasic struct {
	Client *struct {
		Username string            `alloy:"username,attr"`
		Password alloytypes.Secret `alloy:"password,attr"`
	} `alloy:"client_auth,block,optional"`
}

type connectorSpanmetrics struct {
	Flush      string `alloy:"metrics_flush_interval,attr,optional"`
	Dimensions []struct {
		Name string `alloy:"name,attr"`
	} `alloy:"dimension,block,optional"`
	Histogram struct {
		Unit     string `alloy:"unit,attr,optional"`
		Explicit *struct {
			Buckets []string `alloy:"buckets,attr,optional"`
		} `alloy:"explicit,block,optional"`
	} `alloy:"histogram,block"`
	Exemplars *struct {
		Enabled bool `alloy:"enabled,attr,optional"`
	} `alloy:"exemplars,block,optional"`
	Output output `alloy:"output,block"`
}

type connectorServicegraph struct {
	Flush string `alloy:"metrics_flush_interval,attr,optional"`
	Store *struct {
		MaxItems int    `alloy:"max_items,attr,optional"`
		TTL      string `alloy:"ttl,attr,optional"`
	} `alloy:"store,block,optional"`
	Output output `alloy:"output,block"`
}

type exporterPrometheus struct {
	ForwardTo []input `alloy:"forward_to,attr"`
}

// newComponent is a place for the arguments of each kind of component.
var newComponent = map[string]func() any{
	"prometheus.scrape":              func() any { return new(prometheusScrape) },
	"prometheus.remote_write":        func() any { return new(prometheusRemoteWrite) },
	"otelcol.receiver.otlp":          func() any { return new(receiverOTLP) },
	"otelcol.processor.batch":        func() any { return new(processorBatch) },
	"otelcol.exporter.otlp":          func() any { return new(exporterOTLP) },
	"otelcol.auth.basic":             func() any { return new(authBasic) },
	"otelcol.connector.spanmetrics":  func() any { return new(connectorSpanmetrics) },
	"otelcol.connector.servicegraph": func() any { return new(connectorServicegraph) },
	"otelcol.exporter.prometheus":    func() any { return new(exporterPrometheus) },
}

// exports is what other components may refer to, by kind.
func exports(kind string) map[string]any {
	switch {
	case kind == "prometheus.remote_write":
		return map[string]any{"receiver": input{}}
	case kind == "otelcol.auth.basic":
		return map[string]any{"handler": handler{}}
	case strings.HasPrefix(kind, "otelcol.") && kind != "otelcol.receiver.otlp":
		return map[string]any{"input": input{}}
	default:
		return map[string]any{}
	}
}

// components parses config.alloy and returns its blocks and the scope in which
// they are evaluated: what the others export, and the environment of alloy.env.
func components(t *testing.T) ([]*ast.BlockStmt, *vm.Scope) {
	t.Helper()
	text, err := os.ReadFile(alloyFile)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(alloyFile, text)
	if err != nil {
		t.Fatal(err)
	}
	variables := map[string]any{
		"sys":       map[string]any{"env": environment(t)},
		"constants": map[string]any{"hostname": "host"},
	}
	var blocks []*ast.BlockStmt
	for _, statement := range file.Body {
		block, ok := statement.(*ast.BlockStmt)
		if !ok {
			t.Fatalf("%s has a statement that is no component", alloyFile)
		}
		blocks = append(blocks, block)
		nest(variables, append(block.Name, block.Label), exports(strings.Join(block.Name, ".")))
	}
	return blocks, &vm.Scope{Variables: variables}
}

// nest stores a value under a path of names.
func nest(into map[string]any, path []string, value map[string]any) {
	for _, name := range path[:len(path)-1] {
		if into[name] == nil {
			into[name] = map[string]any{}
		}
		into = into[name].(map[string]any)
	}
	into[path[len(path)-1]] = value
}

// environment is sys.env with the variables of alloy.env, and no others.
func environment(t *testing.T) func(string) string {
	t.Helper()
	text, err := os.ReadFile("../../examples/alloy/alloy.env")
	if err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{}
	for _, pair := range regexp.MustCompile(`(?m)^(\w+)=(.+)$`).FindAllStringSubmatch(string(text), -1) {
		variables[pair[1]] = pair[2]
	}
	return func(name string) string {
		if variables[name] == "" {
			t.Errorf("alloy.env does not set %s", name)
		}
		return variables[name]
	}
}

// TestAlloy: config.alloy is well formed, refers to components that it has, and
// gives each of them what it takes.
func TestAlloy(t *testing.T) {
	blocks, scope := components(t)
	kinds := map[string]any{}
	for _, block := range blocks {
		kind := strings.Join(block.Name, ".")
		fresh, ok := newComponent[kind]
		if !ok {
			t.Errorf("the component %s is not known to this test", kind)
			continue
		}
		arguments := fresh()
		if err := vm.New(block.Body).Evaluate(scope, arguments); err != nil {
			t.Errorf("%s %q: %v", kind, block.Label, err)
		}
		kinds[kind] = arguments
	}
	for kind := range newComponent {
		if kinds[kind] == nil {
			t.Errorf("there is no %s", kind)
		}
	}
	if t.Failed() {
		return
	}
	scrape := kinds["prometheus.scrape"].(*prometheusScrape)
	if scrape.Scheme != "https" || scrape.BasicAuth.Password == "" || scrape.TLS.CAFile == "" || scrape.Targets[0]["__address__"] != "localhost:19100" {
		t.Errorf("Sonde is scraped by %+v", scrape)
	}
	if traces := kinds["otelcol.receiver.otlp"].(*receiverOTLP).Output.Traces; len(traces) != 3 {
		t.Errorf("spans go to %d components, want the batch and both connectors", len(traces))
	}
}

// TestAlloyMistakes: the check above can fail.
func TestAlloyMistakes(t *testing.T) {
	_, scope := components(t)
	for name, body := range map[string]string{
		"unknown argument":  `forward_to = [prometheus.remote_write.mimir.receiver] ` + "\n" + `forward = []`,
		"missing argument":  ``,
		"unknown component": `forward_to = [prometheus.remote_write.loki.receiver]`,
		"wrong type":        `forward_to = ["mimir"]`,
		"wrong export":      `forward_to = [prometheus.remote_write.mimir.input]`,
		"unknown block":     `forward_to = [prometheus.remote_write.mimir.receiver]` + "\n" + `endpoint { }`,
	} {
		t.Run(name, func(t *testing.T) {
			file, err := parser.ParseFile(name, []byte("otelcol.exporter.prometheus \"x\" {\n"+body+"\n}\n"))
			if err != nil {
				t.Fatal(err)
			}
			if err := vm.New(file.Body[0].(*ast.BlockStmt).Body).Evaluate(scope, new(exporterPrometheus)); err == nil {
				t.Error("the mistake is not found")
			}
		})
	}
}
