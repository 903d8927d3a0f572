package tracing

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.38.0"

	"sonde_exporter/discovery"
	"sonde_exporter/discovery/inspect"
)

const (
	distroName = "sonde"

	// anyLanguage is what Beyla says of a service whose language cannot be told.
	anyLanguage = "generic"

	maxDeclared = 64  // attributes that a service may declare
	maxKey      = 128 // bytes of the key of one
)

// resource describes an instance of a service. What Sonde itself was told about
// its host comes first, then what the service declares; but its name, its process
// and who made the span are what Sonde knows best.
func (b *builder) resource(instance *discovery.Instance) attributes {
	values := map[attribute.Key]string{
		semconv.HostNameKey:          b.options.Host,
		semconv.ServiceInstanceIDKey: b.options.Host + ":" + strconv.Itoa(instance.Process.PID),
	}
	maps.Copy(values, b.kubernetes(instance))
	for key, value := range b.options.Resource {
		if !isOwn(key) {
			values[attribute.Key(key)] = value
		}
	}
	maps.Copy(values, declared(instance.Process))
	for key, value := range b.observed(instance) {
		if value != "" {
			values[key] = value
		}
	}
	a := make(attributes, 0, usualAttributes)
	for _, key := range slices.Sorted(maps.Keys(values)) {
		a.text(key, values[key])
	}
	a.number(semconv.ProcessPIDKey, int64(instance.Process.PID))
	return a
}

// observed is what nobody else knows better.
func (b *builder) observed(instance *discovery.Instance) map[attribute.Key]string {
	process := instance.Process
	language := process.Language
	if language == "" {
		language = anyLanguage
	}
	name := ""
	if process.Executable != "" {
		name = path.Base(process.Executable)
	}
	return map[attribute.Key]string{
		semconv.ServiceNameKey:            instance.Identity.Name,
		semconv.ServiceNamespaceKey:       instance.Identity.Namespace,
		semconv.ContainerIDKey:            process.ContainerID,
		semconv.ProcessExecutablePathKey:  process.Executable,
		semconv.ProcessExecutableNameKey:  name,
		semconv.TelemetrySDKNameKey:       distroName,
		semconv.TelemetrySDKLanguageKey:   language,
		semconv.TelemetrySDKVersionKey:    b.options.Version,
		semconv.TelemetryDistroNameKey:    distroName,
		semconv.TelemetryDistroVersionKey: b.options.Version,
	}
}

// isOwn tells whether an attribute describes Sonde and not the host that it
// shares with the services.
func isOwn(key string) bool {
	switch attribute.Key(key) {
	case semconv.ServiceNameKey, semconv.ServiceInstanceIDKey, semconv.ServiceVersionKey, semconv.ProcessPIDKey:
		return true
	}
	return false
}

// declared is what the service says in OTEL_RESOURCE_ATTRIBUTES.
func declared(process inspect.Process) map[attribute.Key]string {
	pairs, err := inspect.ParseResourceAttributes(process.Env["OTEL_RESOURCE_ATTRIBUTES"])
	if err != nil {
		return nil // its own SDK discards them too
	}
	values := map[attribute.Key]string{}
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		if len(values) < maxDeclared && len(key) <= maxKey && key != string(semconv.ProcessPIDKey) {
			values[attribute.Key(clean(key, maxKey))] = pairs[key]
		}
	}
	return values
}

// podUID finds the id of a pod in the path of a cgroup; systemd does not take a
// hyphen there, and the kubelet writes an underscore instead.
var podUID = regexp.MustCompile(`[/-]pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12})`)

// kubernetes is what is known of the pod without asking Kubernetes. The host name
// of a pod is the pod's name, unless it shares the network of its node.
func (b *builder) kubernetes(instance *discovery.Instance) map[attribute.Key]string {
	values := map[attribute.Key]string{}
	for _, cgroup := range instance.Process.Cgroups {
		found := podUID.FindStringSubmatch(cgroup)
		if found == nil {
			continue
		}
		values[semconv.K8SPodUIDKey] = strings.ReplaceAll(found[1], "_", "-")
		if name := instance.Process.Env["HOSTNAME"]; name != b.options.Host {
			values[semconv.K8SPodNameKey] = name
		}
		break
	}
	if instance.Identity.Source == inspect.SourcePod && instance.Identity.Namespace != "" {
		values[semconv.K8SNamespaceNameKey] = instance.Identity.Namespace
	}
	return values
}
