package inspect

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// unit is a systemd unit as found in a cgroup path.
type unit struct {
	name string
	// slice is the innermost slice around it.
	slice string
	// user says that a user's own systemd runs it.
	user bool
}

// unitOf returns the innermost service or scope. A unit within a container is
// preferred to the one around it; the scope that is the container is neither.
func unitOf(cgroups []string) unit {
	for _, cgroup := range cgroups {
		id, below := containerIn(cgroup)
		if found := unitIn(below); found.name != "" {
			return found
		}
		if id == "" {
			continue
		}
		if found := unitIn(cgroup); found.name != "" {
			return found
		}
	}
	return unit{}
}

func unitIn(cgroup string) unit {
	parts := strings.Split(cgroup, "/")
	for i, part := range slices.Backward(parts) {
		extension := path.Ext(part)
		if extension != ".service" && extension != ".scope" || containerIDIn(part, false) != "" {
			continue
		}
		found := unit{name: unescapeUnit(part)}
		for _, outer := range slices.Backward(parts[:i]) {
			if found.slice == "" && path.Ext(outer) == ".slice" {
				found.slice = outer
			}
			found.user = found.user || isUserManager(outer)
		}
		return found
	}
	return unit{}
}

func isUserManager(name string) bool {
	return strings.HasPrefix(name, "user@") && strings.HasSuffix(name, ".service")
}

// unescapeUnit undoes systemd's two escapes: an underscore before names that
// could be taken for a file of the kernel, and \xHH for bytes that unit names
// must not contain.
func unescapeUnit(name string) string {
	name = strings.TrimPrefix(name, "_")
	var plain strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] == '\\' && i+3 < len(name) && name[i+1] == 'x' {
			if value, err := strconv.ParseUint(name[i+2:i+4], 16, 8); err == nil {
				plain.WriteByte(byte(value))
				i += 3
				continue
			}
		}
		plain.WriteByte(name[i])
	}
	return Sanitize(plain.String())
}

// transientUnit matches the names that systemd-run makes up: run-u12,
// run-r0123456789abcdef and, since systemd 257, run-p12-i34.
var transientUnit = regexp.MustCompile(`^run-([ur][0-9a-f]+|p\d+-i\d+)$`)

// unitName names a process after its unit. Only services name what runs in
// them, in whichever slice: scopes and the services of a login hold whatever a
// person started, and so does anything with a terminal.
func unitName(p Process) Identity {
	found := unitOf(p.Cgroups)
	name, isService := strings.CutSuffix(found.name, ".service")
	switch {
	case !isService, isUserManager(found.name), transientUnit.MatchString(name):
		return Identity{}
	case found.user && found.slice == "session.slice":
		return Identity{}
	}
	if daemon, launches := launcherDaemon(name); launches {
		if p.program() != daemon {
			return Identity{}
		}
	} else if p.Terminal {
		return Identity{}
	}
	// Desktops start programs as app-LAUNCHER-NAME@RANDOM.service.
	if found.user && strings.HasPrefix(name, "app-") {
		name, _, _ = strings.Cut(name, "@")
	}
	return Identity{Name: name, Source: SourceUnit}
}

// launcherDaemon returns the program of a unit that exists to start others. The
// unit's name describes that program only, not what it starts.
func launcherDaemon(name string) (daemon string, launches bool) {
	base, _, _ := strings.Cut(name, "@")
	switch base {
	case "ssh", "sshd":
		return "sshd", true
	case "cron", "crond", "anacron", "atd", "dockerd", "containerd", "crio", "podman", "kubelet",
		"supervisord", "monit", "circusd", "inetd", "xinetd", "code-server", "ttyd", "libvirtd":
		return base, true
	case "docker":
		return "dockerd", true
	case "supervisor":
		return "supervisord", true
	case "gitlab-runsvdir", "runit":
		return "runsvdir", true
	case "k3s", "k3s-agent":
		return "k3s", true
	case "getty", "serial-getty", "console-getty", "container-getty":
		return "agetty", true
	case "rc-local", "cloud-init", "cloud-config", "cloud-final", "google-startup-scripts":
		return "", true
	}
	// PM2 writes pm2-USER.service; GitHub's runner actions.runner.REPOSITORY.NAME.
	if strings.HasPrefix(base, "pm2-") || strings.HasPrefix(base, "actions.runner.") {
		return "", true
	}
	return "", false
}
