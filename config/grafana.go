package config

import (
	"errors"
	"fmt"
	"strings"
)

// grafanaDraft is the section grafana.otlp: a short way to say where Grafana
// Cloud is and who sends. It ends in the targets of the signals.
type grafanaDraft struct {
	zone, instance, key, keyFile located[string]
	submit                       located[[]string]
}

func (g *grafanaDraft) settings() []setting {
	key, keyFile := secret(&g.key), path(&g.keyFile)
	return []setting{
		{name: "otlp.cloud_zone", value: word(&g.zone)},
		{name: "otlp.cloud_submit", value: words(&g.submit)},
		{name: "otlp.cloud_instance_id", value: word(&g.instance)},
		{name: "otlp.cloud_api_key", value: key, instead: keyFile},
		{name: "otlp.cloud_api_key_file", value: keyFile, instead: key},
	}
}

// isSet tells that Grafana Cloud is meant. As in Beyla, what to submit does not
// count: it may be there as a mere preference.
func (g *grafanaDraft) isSet() bool {
	return g.zone.isSet() || g.instance.isSet() || g.key.isSet() || g.keyFile.isSet()
}

// submits tells whether a signal goes to Grafana Cloud; traces do by default.
func (g *grafanaDraft) submits(s signal) bool {
	if !g.isSet() {
		return false
	}
	for _, name := range g.submit.value {
		if strings.EqualFold(name, s.name) {
			return true
		}
	}
	return !g.submit.isSet() && s == tracesSignal()
}

// validate reports what is wrong or missing. The place of a missing key is that
// of one that is there.
func (g *grafanaDraft) validate(p *problems) {
	if g.keyFile.isSet() {
		key, err := readSecret(g.keyFile.value)
		if err != nil {
			p.wrap(g.keyFile.at, err)
		}
		g.key = located[string]{key, g.keyFile.at}
	}
	for _, name := range g.submit.value {
		if !strings.EqualFold(name, tracesSignal().name) && !strings.EqualFold(name, metricsSignal().name) {
			p.tell(g.submit.at, "must be traces, metrics or both, not %s", quote(name))
		}
	}
	// The zone becomes part of a host name.
	if strings.Trim(g.zone.value, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		p.tell(g.zone.at, "is not a zone; write one such as prod-eu-west-0")
	}
	switch {
	case g.key.isSet() && !g.instance.isSet():
		p.wrap(g.key.at, errors.New("the instance is missing; set cloud_instance_id or GRAFANA_CLOUD_INSTANCE_ID"))
	case g.instance.isSet() && !g.key.isSet():
		p.wrap(g.instance.at, errors.New("the key is missing; set cloud_api_key_file or GRAFANA_CLOUD_API_KEY"))
	case g.zone.isSet() && !g.key.isSet():
		p.wrap(g.zone.at, errors.New("the credentials are missing; set GRAFANA_CLOUD_INSTANCE_ID and GRAFANA_CLOUD_API_KEY"))
	}
}

// complete gives a target the endpoint of Grafana Cloud if it has none, and the
// credentials if it has none. As in Beyla, another endpoint may be set for the
// credentials, but they never travel without TLS.
func (g *grafanaDraft) complete(t *targetDraft, s signal, p *problems) {
	if !g.submits(s) {
		return
	}
	if !t.endpoint.isSet() {
		if !g.zone.isSet() {
			p.wrap(g.key.at, fmt.Errorf("the zone is missing; set cloud_zone or GRAFANA_CLOUD_ZONE, or the endpoint of %s", s.name))
			return
		}
		t.endpoint = located[string]{"https://otlp-gateway-" + g.zone.value + ".grafana.net/otlp", g.zone.at}
		t.form = asBase
	}
	isSecure := strings.HasPrefix(strings.ToLower(t.endpoint.value), "https://")
	if isSecure && !t.username.isSet() && !t.headers.value.has("Authorization") {
		t.username, t.password = g.instance, g.key
	}
}
