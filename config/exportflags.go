package config

import (
	"strings"

	"github.com/alecthomas/kingpin/v2"
)

// exportFlag is a flag for a key of an export section, or, if isSecret, only an
// environment variable: command lines are visible to every user of the host.
type exportFlag struct {
	section, key, placeholder, help string
	isSwitch, isSecret              bool
	shortEnv                        string
}

// name is the flag: the section and the key, with dashes.
func (e exportFlag) name() string {
	return strings.ReplaceAll(e.section+"."+e.key, "_", "-")
}

// exportFlags are those of all three sections.
func exportFlags() []exportFlag {
	all := append(targetFlags(tracesSignal()), tracesFlags()...)
	all = append(all, targetFlags(metricsSignal())...)
	return append(append(all, metricsFlags()...), grafanaFlags()...)
}

func targetFlags(s signal) []exportFlag {
	list := []exportFlag{
		{key: "endpoint", placeholder: "URL", help: "Where to send {} by OTLP; nowhere if not set."},
		{key: "protocol", placeholder: ProtocolHTTP, help: "Protocol for {}: grpc or http/protobuf; guessed from the port if not set."},
		{key: "headers", isSecret: true, help: "Headers that are sent along with {}; the variable is name=value,name=value, percent-encoded."},
		{key: "headers_file", placeholder: "FILE", help: "File with headers that are sent along with {}, name: value, one a line."},
		{key: "basic_auth.username", placeholder: "NAME", help: "User name that is sent along with {}."},
		{key: "basic_auth.password", isSecret: true, help: "Password of that user."},
		{key: "basic_auth.password_file", placeholder: "FILE", help: "File with the password of that user."},
		{key: "tls.ca_file", placeholder: "FILE", help: "Certificates of the authorities that the receiver of {} is trusted by, instead of the host's."},
		{key: "tls.cert_file", placeholder: "FILE", help: "Client certificate for the receiver of {}."},
		{key: "tls.key_file", placeholder: "FILE", help: "Private key of that certificate."},
		{key: "tls.server_name", placeholder: "NAME", help: "Name in the certificate of the receiver of {}, if it is not that of the endpoint."},
		{key: "tls.insecure_skip_verify", isSwitch: true, help: "Do not verify the certificate of the receiver of {}."},
		{key: "compression", placeholder: CompressionGzip, help: "Compression of {}: gzip or none."},
		{key: "timeout", placeholder: "10s", help: "Longest time that one attempt to send {} may take."},
	}
	for i := range list {
		list[i].section = s.section
		list[i].help = strings.ReplaceAll(list[i].help, "{}", s.name)
	}
	return list
}

func tracesFlags() []exportFlag {
	list := []exportFlag{
		{key: "sampler.name", placeholder: SamplerParentOrAlwaysOn, help: "Which requests become spans: always_on, always_off, traceidratio, or one of these after parentbased_."},
		{key: "sampler.arg", placeholder: "0.1", help: "Share of the traces that a sampler by ratio takes, 0 to 1."},
		{key: "keep_errors", isSwitch: true, help: "Take every request that failed, whatever the sampler says."},
		{key: "keep_slower_than", placeholder: "2s", help: "Take every request that lasted longer, whatever the sampler says."},
		{key: "queue_size", placeholder: "4096", help: "Most spans that wait to be sent; what is beyond is dropped and counted."},
		{key: "batch_size", placeholder: "512", help: "Most spans that are sent at once."},
		{key: "batch_timeout", placeholder: "500ms", help: "Longest time that a span waits for others."},
		{key: "query", isSwitch: true, help: "Add the query string to spans, url.query."},
		{key: "scrub_query", placeholder: "token,sig,…", help: "Parameters of the query string whose values are replaced."},
		{key: "request_headers", placeholder: "NAME,…", help: "Request headers whose values are added to spans."},
	}
	for i := range list {
		list[i].section = tracesSignal().section
	}
	return list
}

func metricsFlags() []exportFlag {
	section := metricsSignal().section
	return []exportFlag{
		{section: section, key: "interval", placeholder: "1m", help: "Time from one export of metrics to the next."},
		{section: section, key: "histogram", placeholder: HistogramExplicit, help: "Form of exported histograms: explicit or exponential."},
	}
}

// grafanaFlags have the variables that Beyla has, too.
func grafanaFlags() []exportFlag {
	list := []exportFlag{
		{key: "otlp.cloud_zone", placeholder: "prod-eu-west-0", help: "Zone of Grafana Cloud to send to.", shortEnv: "GRAFANA_CLOUD_ZONE"},
		{key: "otlp.cloud_submit", placeholder: "traces", help: "What to send to Grafana Cloud: traces, metrics or both, with a comma.", shortEnv: "GRAFANA_CLOUD_SUBMIT"},
		{key: "otlp.cloud_instance_id", placeholder: "NUMBER", help: "Instance of Grafana Cloud, its user name.", shortEnv: "GRAFANA_CLOUD_INSTANCE_ID"},
		{key: "otlp.cloud_api_key", isSecret: true, help: "API key of Grafana Cloud.", shortEnv: "GRAFANA_CLOUD_API_KEY"},
		{key: "otlp.cloud_api_key_file", placeholder: "FILE", help: "File with the API key of Grafana Cloud."},
	}
	for i := range list {
		list[i].section = "grafana"
		if env := list[i].shortEnv; env != "" && !list[i].isSecret {
			list[i].help += " Also $" + env + "."
		}
	}
	return list
}

// boundFlag is a flag of an export section with what was set.
type boundFlag struct {
	exportFlag
	option *option
}

// registerExports adds the flags of the export sections.
func registerExports(app *kingpin.Application) []boundFlag {
	var all []boundFlag
	for _, e := range exportFlags() {
		o := &option{flag: e.name(), shortEnv: e.shortEnv, isSecret: e.isSecret}
		switch {
		case e.isSecret:
		case e.isSwitch:
			o.register(app, "", e.help).SetValue((*onOffSingle)(o))
		default:
			o.register(app, e.placeholder, e.help).SetValue((*single)(o))
		}
		all = append(all, boundFlag{e, o})
	}
	return all
}

// overlayExports lays flags and environment over the export sections.
func (f *Flags) overlayExports(d *draft, p *problems) {
	for _, flag := range f.exports {
		text := flag.option.setting(p)
		if !text.isSet() || (!flag.option.isTyped && strings.TrimSpace(text.value) == "") {
			continue
		}
		for _, s := range d.settingsOf(flag.section) {
			if s.name == flag.key {
				s.put(text.value, text.at, p)
			}
		}
	}
}

// settingsOf are the keys of one of the export sections.
func (d *draft) settingsOf(section string) []setting {
	switch section {
	case tracesSignal().section:
		return d.traces.settings()
	case metricsSignal().section:
		return d.metrics.settings()
	}
	return d.grafana.settings()
}
