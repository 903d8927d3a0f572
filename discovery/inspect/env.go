package inspect

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
)

// Variables that help to name a service. No other variable is ever kept.
const (
	envServiceName        = "OTEL_SERVICE_NAME"
	envResourceAttributes = "OTEL_RESOURCE_ATTRIBUTES"
	envHostname           = "HOSTNAME"
	envSupervisorGroup    = "SUPERVISOR_GROUP_NAME"
	envNPMPackage         = "npm_package_name"
	envPM2ID              = "pm_id"
	envPM2Name            = "name"
	envFlaskApp           = "FLASK_APP"
	envDjangoSettings     = "DJANGO_SETTINGS_MODULE"
	envReleaseName        = "RELEASE_NAME"
)

const maxEnvValue = 16 << 10

func wantedVariable(name string) bool {
	switch name {
	case envServiceName, envResourceAttributes, envHostname, envSupervisorGroup,
		envNPMPackage, envPM2ID, envPM2Name, envFlaskApp, envDjangoSettings, envReleaseName:
		return true
	}
	return false
}

// parseEnviron keeps the wanted variables. Of a variable that is set twice the
// first counts, as for getenv(3). "name" means something only beside PM2's own
// id, and is dropped elsewhere. Longer values than any sane name are dropped
// whole, for a truncated list of attributes could be misread.
func parseEnviron(raw []byte) map[string]string {
	env := map[string]string{}
	for entry := range bytes.SplitSeq(raw, []byte{0}) {
		name, value, found := bytes.Cut(entry, []byte{'='})
		if !found || len(value) > maxEnvValue || !wantedVariable(string(name)) {
			continue
		}
		if _, set := env[string(name)]; !set {
			env[string(name)] = string(value)
		}
	}
	if _, managed := env[envPM2ID]; !managed {
		delete(env, envPM2Name)
	}
	return env
}

// ParseResourceAttributes parses the value of OTEL_RESOURCE_ATTRIBUTES: pairs
// key=value, separated by commas, each side percent-encoded. As the
// OpenTelemetry specification asks, one malformed pair discards all of them.
// Empty pairs, as after a trailing comma, are passed over.
func ParseResourceAttributes(text string) (map[string]string, error) {
	attributes := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		rawKey, rawValue, found := strings.Cut(pair, "=")
		if !found {
			return nil, fmt.Errorf("resource attribute %.64q has no '='", pair)
		}
		key, err := url.PathUnescape(strings.TrimSpace(rawKey))
		if err != nil {
			return nil, fmt.Errorf("key of a resource attribute: %w", err)
		}
		value, err := url.PathUnescape(strings.TrimSpace(rawValue))
		if err != nil {
			return nil, fmt.Errorf("value of resource attribute %.64q: %w", key, err)
		}
		if key == "" {
			return nil, fmt.Errorf("resource attribute %.64q has no key", pair)
		}
		attributes[key] = value
	}
	return attributes, nil
}
