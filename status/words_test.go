package status

import (
	"testing"

	"sonde_exporter/discovery/inspect"
	"sonde_exporter/probe"
	"sonde_exporter/tlslib"
	"sonde_exporter/tlstap"
)

func portCount(service uint32, port uint16, transport, protocol uint8, count uint64) probe.PortCount {
	return probe.PortCount{Service: service, Port: port, Transport: transport, Protocol: protocol, Count: count}
}

func hiddenBy(library, reason string) []tlslib.Hidden {
	return []tlslib.Hidden{{Library: library, Reason: reason}}
}

func TestDurationWords(t *testing.T) {
	for seconds, want := range map[float64]string{
		0: "0 s", 12.9: "12 s", 60: "1 min 0 s", 252: "4 min 12 s", 3600: "1 h 0 min", 11530: "3 h 12 min",
		86400: "1 d 0 h", 30 * 86400: "30 d 0 h",
	} {
		if got := DurationWords(seconds); got != want {
			t.Errorf("%v seconds are %q, want %q", seconds, got, want)
		}
	}
}

// TestEveryNameHasAReason: each source of a name is explained in words of its own.
func TestEveryNameHasAReason(t *testing.T) {
	told := map[string]string{}
	for _, source := range []string{
		inspect.SourceRule, inspect.SourceServiceName, inspect.SourceResourceAttributes, inspect.SourceJavaProperty, inspect.SourcePod,
		inspect.SourceContainer, inspect.SourceHostname, inspect.SourceUnit, inspect.SourceSupervisor, inspect.SourceInterpreter,
		inspect.SourceExecutable, inspect.SourceCommand, inspect.SourceUnknown,
	} {
		reason := nameReason(source)
		if other, twice := told[reason]; reason == "" || twice {
			t.Errorf("%q is explained by %q, as is %q", source, reason, other)
		}
		told[reason] = source
	}
}

func TestConfigurationWords(t *testing.T) {
	for want, c := range map[string]Configuration{
		"every process that listens on TCP is a service":                       {},
		"every process that listens on TCP is a service; 2 rules exclude some": {ExcludeRules: 2},
		"1 rule says which processes are services; 1 rule excludes some":       {ServiceRules: 1, ExcludeRules: 1},
		"3 rules say which processes are services":                             {ServiceRules: 3},
	} {
		if got := c.Words(); got != want {
			t.Errorf("%+v is %q, want %q", c, got, want)
		}
	}
}

func TestProtocolWords(t *testing.T) {
	for want, p := range map[string]Protocol{
		"HTTP/1": {Name: "http1"}, "HTTP/1 in TLS": {Name: "http1", TLS: true}, "HTTP/2 in TLS": {Name: "http2", TLS: true},
		"TLS (inside not seen)": {Name: "tls", TLS: true}, "upgraded HTTP": {Name: "upgraded"},
		"unknown protocol": {Name: "unknown"}, "unknown protocol in TLS": {Name: "unknown", TLS: true},
	} {
		if got := p.Words(); got != want {
			t.Errorf("%+v is %q, want %q", p, got, want)
		}
	}
}

func TestTLSReason(t *testing.T) {
	failures := []tlstap.Failure{{Library: tlslib.OpenSSL, Reason: "permission", Count: 2}}
	for want, c := range map[string]struct {
		hooks    []string
		failures []tlstap.Failure
	}{
		"": {[]string{"uprobe"}, nil},
		"not attached, because no service was seen to speak TLS by a library that can be watched": {nil, nil},
		"2 attempts to attach to openssl failed (permission); the log names file and remedy":      {nil, failures},
	} {
		if got := tlsReason(c.hooks, c.failures); got != want {
			t.Errorf("hooks %v and failures %v: %q, want %q", c.hooks, c.failures, got, want)
		}
	}
}
