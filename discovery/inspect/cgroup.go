package inspect

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// maxCgroups bounds the lines that are looked at: version 1 has 13 controllers,
// to which named hierarchies may be added.
const maxCgroups = 64

// parseCgroups returns the distinct paths of /proc/PID/cgroup, most telling
// first. Lines look like "0::/path" (version 2), "1:name=systemd:/path" and
// "4:memory:/path" (version 1); hybrid hosts show all three kinds.
func parseCgroups(text string) []string {
	var unified, systemd, others []string
	for count, line := range strings.SplitN(text, "\n", maxCgroups+1) {
		if count == maxCgroups {
			break // What is left is the unsplit rest.
		}
		hierarchy, rest, _ := strings.Cut(line, ":")
		controllers, cgroup, found := strings.Cut(rest, ":")
		if !found {
			continue
		}
		cgroup = trimDeleted(strings.ToValidUTF8(cgroup, "\uFFFD"))
		switch {
		case hierarchy == "0" && controllers == "":
			unified = append(unified, cgroup)
		case controllers == "name=systemd":
			systemd = append(systemd, cgroup)
		default:
			others = append(others, cgroup)
		}
	}
	var distinct []string
	for _, cgroup := range slices.Concat(unified, systemd, others) {
		if cgroup != "" && cgroup != "/" && !slices.Contains(distinct, cgroup) {
			distinct = append(distinct, cgroup)
		}
	}
	return distinct
}

var (
	// Docker, containerd, CRI-O and Podman use 256-bit ids, bare below a cgroup of
	// their own (cgroupfs driver) or within a scope (systemd driver):
	// docker-ID.scope, cri-containerd-ID.scope, crio-ID.scope, libpod-ID.scope.
	// containerd without the systemd driver below its own unit writes
	// kubepods-burstable-podUID.slice:cri-containerd:ID.
	containerComponent = regexp.MustCompile(`^(?:(.*)[-:])?([0-9a-f]{64})(?:\.scope)?$`)
	// AWS Fargate: /ecs/TASK/TASK-NUMBER, where TASK has 32 digits.
	fargateComponent = regexp.MustCompile(`^[0-9a-f]{32}-\d{5,10}$`)
)

// containerIDOf returns the id of the innermost container, since containers may
// hold containers (kind, Docker in Docker).
func containerIDOf(cgroups []string) string {
	for _, cgroup := range cgroups {
		if id, _ := containerIn(cgroup); id != "" {
			return id
		}
	}
	return ""
}

// containerIn returns the id of the innermost container of one path, and the
// cgroups below it, where a systemd inside the container puts its units.
func containerIn(cgroup string) (id, below string) {
	parts := strings.Split(cgroup, "/")
	for i, part := range slices.Backward(parts) {
		if found := containerIDIn(part, slices.Contains(parts[:i], "ecs")); found != "" {
			return found, path.Join(parts[i+1:]...)
		}
	}
	return "", cgroup
}

func containerIDIn(component string, belowECS bool) string {
	if belowECS && fargateComponent.MatchString(component) {
		return component
	}
	match := containerComponent.FindStringSubmatch(component)
	// The monitor of a container (crio-conmon-ID, libpod-conmon-ID) runs outside.
	if len(match) < 3 || strings.HasSuffix(match[1], "conmon") {
		return ""
	}
	return match[2]
}

// inKubernetes says whether the kubelet made one of these cgroups.
func inKubernetes(cgroups []string) bool {
	for _, cgroup := range cgroups {
		for part := range strings.SplitSeq(cgroup, "/") {
			if strings.HasPrefix(part, "kubepods") || strings.HasPrefix(part, "kubelet-kubepods") {
				return true
			}
		}
	}
	return false
}
