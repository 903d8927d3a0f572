package status

import (
	"fmt"
	"time"

	"sonde_exporter/amount"
	"sonde_exporter/discovery/inspect"
)

// nameReason says where the name of a service comes from.
func nameReason(source string) string {
	switch source {
	case inspect.SourceRule:
		return "named by a rule of the configuration"
	case inspect.SourceServiceName:
		return "named by its OTEL_SERVICE_NAME"
	case inspect.SourceResourceAttributes:
		return "named by service.name in its OTEL_RESOURCE_ATTRIBUTES"
	case inspect.SourceJavaProperty:
		return "named by its Java system property"
	case inspect.SourcePod:
		return "named after its Kubernetes workload"
	case inspect.SourceContainer:
		return "named after its container"
	case inspect.SourceHostname:
		return "named after the host name of its container"
	case inspect.SourceUnit:
		return "named after its systemd unit"
	case inspect.SourceSupervisor:
		return "named after its program in supervisord"
	case inspect.SourceInterpreter:
		return "named after what its interpreter runs"
	case inspect.SourceExecutable:
		return "named after its executable"
	case inspect.SourceCommand:
		return "named after its command"
	}
	return "nothing tells its name"
}

// gapReasons says why connections of a protocol are not measured. hidden is what
// cannot be seen of the service's TLS.
func gapReasons(protocol string, hidden []string) []string {
	switch {
	case protocol == "http2":
		return []string{"HTTP/2 is recognised, and not measured yet"}
	case protocol == "upgraded":
		return []string{"HTTP was left by an upgrade, as WebSocket does"}
	case protocol == "tls" && len(hidden) > 0:
		return hidden
	case protocol == "tls":
		return []string{"TLS from before Sonde saw inside the library, which it looks for when a service first speaks TLS"}
	}
	return []string{"a protocol that Sonde does not know"}
}

// hiddenReason says what cannot be seen of the TLS of a service.
func hiddenReason(library, reason string) string {
	if library == "" || library == "unknown" {
		return "TLS by a library that is not known: " + reason
	}
	return "TLS by " + library + ": " + reason
}

// Words says what a protocol is.
func (p Protocol) Words() string {
	name := map[string]string{"http1": "HTTP/1", "http2": "HTTP/2", "upgraded": "upgraded HTTP", "tls": "TLS"}[p.Name]
	switch {
	case name == "":
		name = "unknown protocol"
	case p.Name == "tls":
		return name + " (inside not seen)"
	}
	if p.TLS {
		name += " in TLS"
	}
	return name
}

// Words says over which time rates and quantiles are taken.
func (w Window) Words() string {
	length := DurationWords(w.Seconds)
	switch w.Since {
	case SinceStart:
		return "since Sonde started, " + length + " ago"
	case SinceReload:
		return "since the configuration was reloaded, " + length + " ago"
	}
	return "in the last " + length
}

// Words says which processes are services.
func (c Configuration) Words() string {
	text := "every process that listens on TCP is a service"
	if c.ServiceRules > 0 {
		text = amount.Of(c.ServiceRules, "rule says", "rules say") + " which processes are services"
	}
	if c.ExcludeRules > 0 {
		text += "; " + amount.Of(c.ExcludeRules, "rule excludes", "rules exclude") + " some"
	}
	return text
}

// DurationWords is a duration in its two greatest units: 4 min 12 s.
func DurationWords(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second)).Truncate(time.Second)
	days, rest := d/(24*time.Hour), d%(24*time.Hour)
	hours, minutes := rest/time.Hour, rest%time.Hour/time.Minute
	switch {
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%d min %d s", minutes, rest%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d s", rest/time.Second)
}
