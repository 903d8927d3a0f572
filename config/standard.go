package config

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// exporterVariables are the endings of the variables OTEL_EXPORTER_OTLP_… and
// OTEL_EXPORTER_OTLP_TRACES_… by the key that they set.
func exporterVariables() map[string]string {
	return map[string]string{
		"protocol":      "PROTOCOL",
		"headers":       "HEADERS",
		"timeout":       "TIMEOUT",
		"compression":   "COMPRESSION",
		"tls.ca_file":   "CERTIFICATE",
		"tls.cert_file": "CLIENT_CERTIFICATE",
		"tls.key_file":  "CLIENT_KEY",
		"insecure":      "INSECURE",
	}
}

// otherVariables are those of one signal with names of their own.
func otherVariables(s signal) map[string]string {
	if s == tracesSignal() {
		return map[string]string{"sampler.name": "OTEL_TRACES_SAMPLER", "sampler.arg": "OTEL_TRACES_SAMPLER_ARG"}
	}
	return map[string]string{
		"interval":  "OTEL_METRIC_EXPORT_INTERVAL",
		"histogram": "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
	}
}

// overlayStandard lays the variables of the OpenTelemetry specification over
// the file, those for all signals under it. They are only looked at where
// something is sent, because a host may set them for other programs.
func (d *draft) overlayStandard(p *problems) {
	d.traces.overlayStandard(tracesSignal(), d.traces.settings(), &d.grafana, p)
	d.metrics.overlayStandard(metricsSignal(), d.metrics.settings(), &d.grafana, p)
	if d.traces.endpoint.isSet() || d.metrics.endpoint.isSet() || d.grafana.isSet() {
		d.overlayResource(p)
	}
}

func (t *targetDraft) overlayStandard(s signal, list []setting, cloud *grafanaDraft, p *problems) {
	ofSignal := "OTEL_EXPORTER_OTLP_" + strings.ToUpper(s.name) + "_"
	const ofAll = "OTEL_EXPORTER_OTLP_"
	if !t.overlayEndpoint(s, ofSignal, ofAll) && !cloud.submits(s) {
		return
	}
	list = append(list, setting{name: "insecure", value: onOff(&t.insecure)})
	for _, key := range list {
		if ending, ok := exporterVariables()[key.name]; ok {
			overlayVariable(key, ofSignal+ending, key.isSetAbove(), p)
			overlayVariable(key, ofAll+ending, key.isSet(), p)
		}
		if name, ok := otherVariables(s)[key.name]; ok {
			overlayVariable(key, name, key.isSetAbove(), p)
		}
	}
}

// overlayEndpoint tells whether there is an endpoint in the end.
func (t *targetDraft) overlayEndpoint(s signal, ofSignal, ofAll string) bool {
	if t.endpoint.isSet() && !t.endpoint.at.isInFile() {
		return true // a flag or its own variable
	}
	if text := variable(ofSignal + "ENDPOINT"); text.isSet() {
		t.endpoint, t.form = text, asIs
	}
	if !t.endpoint.isSet() && variable("OTEL_"+strings.ToUpper(s.name)+"_EXPORTER").value == "none" {
		return false
	}
	if text := variable(ofAll + "ENDPOINT"); text.isSet() && !t.endpoint.isSet() {
		t.endpoint, t.form = text, asBase
	}
	return t.endpoint.isSet()
}

// overlayVariable sets a key by a standard variable unless something else has
// set it that outranks the variable.
func overlayVariable(key setting, name string, isOutranked bool, p *problems) {
	text := variable(name)
	if isOutranked || !text.isSet() {
		return
	}
	switch key.name {
	case "timeout", "interval":
		milliseconds, err := strconv.ParseUint(text.value, 10, 31)
		if err != nil {
			p.wrap(text.at, fmt.Errorf("%s is not a number of milliseconds; write one such as 10000", quote(text.value)))
			return
		}
		text.value = fmt.Sprintf("%dms", milliseconds)
	}
	key.put(text.value, text.at, p)
}

// variable reads an environment variable. One that is empty is not set, as the
// specification says.
func variable(name string) located[string] {
	text := strings.TrimSpace(os.Getenv(name))
	if text == "" {
		return located[string]{}
	}
	return located[string]{text, atEnv(name)}
}
