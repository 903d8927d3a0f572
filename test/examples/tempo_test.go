package examples

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

const tempoFile = "../../examples/tempo/tempo.yaml"

// tempo has the keys that tempo.yaml uses, as
// https://grafana.com/docs/tempo/latest/configuration/ has them; no module of Tempo
// with its own types can be had here.
type tempo struct {
	Server struct {
		HTTPListenPort int `yaml:"http_listen_port"`
	} `yaml:"server"`
	Distributor struct {
		Receivers struct {
			OTLP struct {
				Protocols struct {
					GRPC struct {
						Endpoint string `yaml:"endpoint"`
						TLS      struct {
							CertFile     string `yaml:"cert_file"`
							KeyFile      string `yaml:"key_file"`
							ClientCAFile string `yaml:"client_ca_file"`
						} `yaml:"tls"`
					} `yaml:"grpc"`
				} `yaml:"protocols"`
			} `yaml:"otlp"`
		} `yaml:"receivers"`
	} `yaml:"distributor"`
	Storage struct {
		Trace struct {
			Backend string `yaml:"backend"`
			Local   path   `yaml:"local"`
			WAL     path   `yaml:"wal"`
		} `yaml:"trace"`
	} `yaml:"storage"`
	MetricsGenerator struct {
		Storage struct {
			Path        string `yaml:"path"`
			RemoteWrite []struct {
				URL              string `yaml:"url"`
				Exemplars        bool   `yaml:"send_exemplars"`
				NativeHistograms bool   `yaml:"send_native_histograms"`
				BasicAuth        struct {
					Username string `yaml:"username"`
					Password string `yaml:"password"`
				} `yaml:"basic_auth"`
			} `yaml:"remote_write"`
		} `yaml:"storage"`
		Processor struct {
			SpanMetrics struct {
				Dimensions []string `yaml:"dimensions"`
			} `yaml:"span_metrics"`
		} `yaml:"processor"`
	} `yaml:"metrics_generator"`
	Overrides struct {
		Defaults struct {
			MetricsGenerator struct {
				Processors       []string `yaml:"processors"`
				NativeHistograms string   `yaml:"generate_native_histograms"`
			} `yaml:"metrics_generator"`
		} `yaml:"defaults"`
	} `yaml:"overrides"`
	UsageReport struct {
		Enabled bool `yaml:"reporting_enabled"`
	} `yaml:"usage_report"`
}

type path struct {
	Path string `yaml:"path"`
}

// TestTempo: tempo.yaml has no key twice, none that Tempo lacks, and no secret.
func TestTempo(t *testing.T) {
	text, err := os.ReadFile(tempoFile)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var config tempo
	if err := decoder.Decode(&config); err != nil {
		t.Fatal(err)
	}
	generator := config.Overrides.Defaults.MetricsGenerator
	if !slices.Equal(generator.Processors, []string{"service-graphs", "span-metrics"}) {
		t.Errorf("the processors are %v", generator.Processors)
	}
	if grpc := config.Distributor.Receivers.OTLP.Protocols.GRPC; grpc.TLS.ClientCAFile == "" || grpc.Endpoint != "0.0.0.0:4317" {
		t.Errorf("spans are taken by %+v", grpc)
	}
	variable := regexp.MustCompile(`^\$\{\w+\}$`)
	for _, target := range config.MetricsGenerator.Storage.RemoteWrite {
		if !variable.MatchString(target.BasicAuth.Password) || !variable.MatchString(target.URL) {
			t.Errorf("address and password must come from the environment, not from %+v", target)
		}
	}
}
