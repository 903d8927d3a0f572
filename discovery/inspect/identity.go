package inspect

import (
	"path"
	"strings"
)

// Where a name comes from, as [Identity.Source] tells it to people.
const (
	// SourceRule is for callers whose configuration named the service.
	SourceRule               = "rule"
	SourceServiceName        = "OTEL_SERVICE_NAME"
	SourceResourceAttributes = "OTEL_RESOURCE_ATTRIBUTES"
	SourceJavaProperty       = "Java system property"
	SourcePod                = "Kubernetes pod"
	SourceContainer          = "container"
	SourceHostname           = "container host name"
	SourceUnit               = "systemd unit"
	SourceSupervisor         = "supervisord program"
	SourceInterpreter        = "interpreter"
	SourceExecutable         = "executable"
	SourceCommand            = "command"
	SourceUnknown            = "unknown"
)

// Sources are all values of [Identity.Source].
func Sources() []string {
	return []string{
		SourceRule, SourceServiceName, SourceResourceAttributes, SourceJavaProperty, SourcePod, SourceContainer,
		SourceHostname, SourceUnit, SourceSupervisor, SourceInterpreter, SourceExecutable, SourceCommand, SourceUnknown,
	}
}

// Identity is how a service is called, and why.
type Identity struct {
	// Name is never empty in what [Process.Identity] returns.
	Name string
	// Namespace groups services: service.namespace, the namespace of the pod, or
	// the project of Docker Compose. It is often empty.
	Namespace string
	// Source is one of the Source constants.
	Source string
}

// Identity names the service that the process runs. The first of these that
// knows a name decides:
//
//  1. OTEL_SERVICE_NAME, then service.name in OTEL_RESOURCE_ATTRIBUTES (for Java
//     also the system properties otel.service.name and otel.resource.attributes);
//  2. the container: the workload that owns the pod, the Compose or Swarm
//     service, the name that a person gave the container, or its host name. An
//     id, a host name made of one, a name made up by Docker, and the host's own
//     name say nothing and are passed over;
//  3. the systemd service, unless it holds whatever a person or a launcher such
//     as cron started; then the program's name in supervisord;
//  4. what an interpreter runs;
//  5. the executable, then the kernel's name of the thread, then "unknown".
//
// service.namespace of the process wins over the namespace of the container,
// also when the name comes from elsewhere. Name and namespace are sanitized.
//
// It may read a few small files, so it should be called while the process lives;
// afterwards the answer comes from what is in p alone.
func (p Process) Identity() Identity {
	declared := declaredName(p)
	identity := Identity{Namespace: declared.Namespace}
	namers := []func(Process) Identity{
		func(Process) Identity { return declared },
		containerName, unitName, supervisorName, interpreterName, executableName, commandName,
	}
	for _, namer := range namers {
		found := namer(p)
		if identity.Namespace == "" {
			identity.Namespace = Sanitize(found.Namespace)
		}
		if name := Sanitize(found.Name); name != "" {
			identity.Name, identity.Source = name, found.Source
			return identity
		}
	}
	identity.Name, identity.Source = "unknown", SourceUnknown
	return identity
}

// declaredName is what the service says of itself, in the order in which its
// own OpenTelemetry SDK would look.
func declaredName(p Process) Identity {
	var identity Identity
	consider := func(found Identity) {
		if name := Sanitize(found.Name); name != "" && identity.Name == "" {
			identity.Name, identity.Source = name, found.Source
		}
		if identity.Namespace == "" {
			identity.Namespace = Sanitize(found.Namespace)
		}
	}
	if p.Language == languageJava {
		consider(Identity{Name: javaProperty(p.Args, "otel.service.name"), Source: SourceJavaProperty})
	}
	consider(Identity{Name: p.Env[envServiceName], Source: SourceServiceName})
	if p.Language == languageJava {
		consider(attributesName(javaProperty(p.Args, "otel.resource.attributes"), SourceJavaProperty))
	}
	consider(attributesName(p.Env[envResourceAttributes], SourceResourceAttributes))
	return identity
}

func attributesName(text, source string) Identity {
	attributes, err := ParseResourceAttributes(text)
	if err != nil {
		return Identity{} // The service's own SDK discards them too.
	}
	return Identity{
		Name:      attributes["service.name"],
		Namespace: attributes["service.namespace"],
		Source:    source,
	}
}

func supervisorName(p Process) Identity {
	return Identity{Name: p.Env[envSupervisorGroup], Source: SourceSupervisor}
}

// executableName keeps digits, which belong to most names (k3s, sqlite3), but
// not the version of an interpreter: it changes with each upgrade.
func executableName(p Process) Identity {
	name := p.program()
	if family, known := familyOf(name); known {
		name = family.plain
	}
	return Identity{Name: name, Source: SourceExecutable}
}

func commandName(p Process) Identity {
	return Identity{Name: p.Command, Source: SourceCommand}
}

// program returns the base name of what is executed. Where the link cannot be
// read, the first word of the command line has to do.
func (p Process) program() string {
	first := ""
	if len(p.Args) > 0 {
		first = firstWord(p.Args[0])
	}
	switch name := baseName(p.Executable); name {
	case "":
		return first
	case "busybox", "toybox", "coreutils":
		// One file that holds many programs goes by the name it is called with.
		if first != "" {
			return first
		}
		return name
	default:
		return name
	}
}

// firstWord gets "nginx" from "nginx: master process /usr/sbin/nginx" and "sh"
// from the "-sh" of a login shell.
func firstWord(argument string) string {
	word, _, _ := strings.Cut(argument, " ")
	return strings.TrimPrefix(strings.TrimSuffix(baseName(word), ":"), "-")
}

func baseName(file string) string {
	switch base := path.Base(file); base {
	case ".", "/", "..":
		return ""
	default:
		return base
	}
}
