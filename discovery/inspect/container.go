package inspect

import (
	"encoding/json"
	"strings"
)

// maxRecord caps the files in which container runtimes keep their records.
const maxRecord = 4 << 20

// containerName names a process after its container. A bare id is no name: when
// nothing better is known, the zero Identity lets the program inside decide.
func containerName(p Process) Identity {
	if p.ContainerID == "" {
		return Identity{}
	}
	recorded := p.files.recordedName(p.ContainerID)
	if recorded.Name != "" {
		return recorded
	}
	hostname := p.containerHostname()
	if !inKubernetes(p.Cgroups) {
		return Identity{Name: hostname, Source: SourceHostname, Namespace: recorded.Namespace}
	}
	return Identity{Name: workloadOf(hostname), Source: SourcePod, Namespace: p.podNamespace()}
}

// recordedName looks the container up in the records of the runtimes. They are
// read as files, because a name is not worth a client for each runtime's API.
func (f FS) recordedName(id string) Identity {
	for _, lookup := range []func(string) Identity{f.dockerName, f.bundleName, f.podmanName} {
		if found := lookup(id); found.Name != "" {
			return found
		}
	}
	return Identity{}
}

// dockerName reads Docker's record of a container.
func (f FS) dockerName(id string) Identity {
	var record struct {
		Name   string
		Config struct{ Labels map[string]string }
	}
	if !f.readRecord("/var/lib/docker/containers/"+id+"/config.v2.json", &record) {
		return Identity{}
	}
	labels := record.Config.Labels
	if found := workloadIn(labels, "io.kubernetes.pod.name", "io.kubernetes.pod.namespace"); found.Name != "" {
		return found
	}
	if service := labels["com.docker.compose.service"]; service != "" {
		return Identity{Name: service, Namespace: labels["com.docker.compose.project"], Source: SourceContainer}
	}
	if service := labels["com.docker.swarm.service.name"]; service != "" {
		stack := labels["com.docker.stack.namespace"]
		return Identity{Name: strings.TrimPrefix(service, stack+"_"), Namespace: stack, Source: SourceContainer}
	}
	return namedByPerson(strings.TrimPrefix(record.Name, "/"))
}

// bundleName reads the annotations of the OCI bundle that containerd, k3s and
// CRI-O write for the low-level runtime.
func (f FS) bundleName(id string) Identity {
	const task = "/containerd/io.containerd.runtime.v2.task/"
	for _, dir := range []string{
		"/run" + task + "k8s.io/" + id,
		"/run/k3s" + task + "k8s.io/" + id,
		"/run" + task + "default/" + id,
		"/run/containers/storage/overlay-containers/" + id + "/userdata",
	} {
		var bundle struct {
			Annotations map[string]string `json:"annotations"`
		}
		if !f.readRecord(dir+"/config.json", &bundle) {
			continue
		}
		notes := bundle.Annotations
		if found := workloadIn(notes, "io.kubernetes.cri.sandbox-name", "io.kubernetes.cri.sandbox-namespace"); found.Name != "" {
			return found
		}
		if found := workloadIn(notes, "io.kubernetes.pod.name", "io.kubernetes.pod.namespace"); found.Name != "" {
			return found
		}
		if found := namedByPerson(notes["nerdctl/name"]); found.Name != "" {
			return found
		}
	}
	return Identity{}
}

// podmanName reads the list of containers of Podman as root.
func (f FS) podmanName(id string) Identity {
	var containers []struct {
		ID    string   `json:"id"`
		Names []string `json:"names"`
	}
	if !f.readRecord("/var/lib/containers/storage/overlay-containers/containers.json", &containers) {
		return Identity{}
	}
	for _, container := range containers {
		if container.ID == id && len(container.Names) > 0 {
			return namedByPerson(container.Names[0])
		}
	}
	return Identity{}
}

// readRecord decodes a JSON file of the host. Fields that are not asked for,
// such as the environment of the container, are skipped by the decoder.
func (f FS) readRecord(path string, record any) bool {
	raw, err := f.readHost(path, maxRecord)
	return err == nil && json.Unmarshal(raw, record) == nil
}

func workloadIn(labels map[string]string, podKey, namespaceKey string) Identity {
	return Identity{Name: workloadOf(labels[podKey]), Namespace: labels[namespaceKey], Source: SourcePod}
}

func namedByPerson(name string) Identity {
	if madeUpByDocker(name) {
		return Identity{}
	}
	return Identity{Name: name, Source: SourceContainer}
}

// containerHostname returns the host name of the container when somebody chose
// it. By default it is the beginning of the id, and in the host's network
// namespace it is the name of the host.
func (p Process) containerHostname() string {
	name := p.Env[envHostname]
	if name == "" {
		raw, err := p.files.readInside(p.PID, "/etc/hostname", 256)
		if err != nil {
			return ""
		}
		name = string(raw)
	}
	name = strings.TrimSpace(name)
	if name == "" || name == "localhost" || strings.HasPrefix(p.ContainerID, name) || p.files.isHostName(name) {
		return ""
	}
	return name
}

func (f FS) isHostName(name string) bool {
	if raw, err := f.readHost("/etc/hostname", 256); err == nil && strings.TrimSpace(string(raw)) == name {
		return true
	}
	raw, err := readCapped(f.procDir()+"/sys/kernel/hostname", 256)
	return err == nil && strings.TrimSpace(string(raw)) == name
}
