package packaging

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"sonde_exporter/test/harness"
)

const manifests = "packaging/kubernetes"

// cluster is what kustomize makes, by kind, in the types that Kubernetes itself uses.
type cluster struct {
	daemonSet      apps.DaemonSet
	service        core.Service
	account        core.ServiceAccount
	namespace      core.Namespace
	config         core.ConfigMap
	secret         core.Secret
	policy         networking.NetworkPolicy
	serviceMonitor monitoring.ServiceMonitor
	podMonitor     monitoring.PodMonitor
}

// kustomize builds the base with components, and refuses fields that the types do
// not have.
func kustomize(t testing.TB, components ...string) cluster {
	t.Helper()
	overlay := "resources: [../base]\ncomponents:\n"
	for _, component := range components {
		overlay += "  - ../components/" + component + "\n"
	}
	return decodeOverlay(t, map[string]string{"kustomization.yaml": overlay})
}

// decodeOverlay builds files that lie beside the base and the components.
func decodeOverlay(t testing.TB, overlay map[string]string) cluster {
	t.Helper()
	files := filesys.MakeFsInMemory()
	root := filepath.Join(release(t).root, manifests)
	err := filepath.WalkDir(root, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return files.WriteFile(strings.TrimPrefix(name, root), content)
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range overlay {
		if err := files.WriteFile("/overlay/"+name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return decode(t, files, "/overlay")
}

func decode(t testing.TB, files filesys.FileSystem, dir string) (c cluster) {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, dir)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]any{
		"DaemonSet": &c.daemonSet, "Service": &c.service, "ServiceAccount": &c.account, "Namespace": &c.namespace,
		"ConfigMap": &c.config, "Secret": &c.secret, "NetworkPolicy": &c.policy, "ServiceMonitor": &c.serviceMonitor, "PodMonitor": &c.podMonitor,
	}
	for _, resource := range built.Resources() {
		into, known := kinds[resource.GetKind()]
		if !known {
			t.Errorf("%s is there, which the test does not know", resource.CurId())
			continue
		}
		text, err := resource.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(text, into); err != nil {
			t.Errorf("%s: %v", resource.CurId(), err)
		}
		if resource.GetKind() != "Namespace" && resource.GetNamespace() != "sonde" {
			t.Errorf("%s is in namespace %q, want sonde", resource.CurId(), resource.GetNamespace())
		}
	}
	return c
}

// pod is the DaemonSet's container with components, with what it mounts of the node.
// A Secret that it mounts is a directory; secret makes its files.
func pod(t testing.TB, secret func(dir string), components ...string) container {
	t.Helper()
	c := kustomize(t, components...)
	spec := c.daemonSet.Spec.Template.Spec
	sonde := spec.Containers[0]
	result := container{ownNetwork: !spec.HostNetwork, ownCgroup: true, args: sonde.Args}
	for _, capability := range sonde.SecurityContext.Capabilities.Add {
		result.capabilities = append(result.capabilities, "CAP_"+string(capability))
	}
	for _, mount := range sonde.VolumeMounts {
		volume := spec.Volumes[slices.IndexFunc(spec.Volumes, func(v core.Volume) bool { return v.Name == mount.Name })]
		switch {
		case volume.ConfigMap != nil:
			dir := t.TempDir()
			for name, content := range c.config.Data {
				if err := os.WriteFile(path.Join(dir, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			result.mounts = append(result.mounts, dir+":"+mount.MountPath)
		case volume.Secret != nil:
			dir := t.TempDir()
			secret(dir)
			result.mounts = append(result.mounts, dir+":"+mount.MountPath)
		case *volume.HostPath.Type == core.HostPathDirectoryOrCreate: // empty here
		default:
			result.mounts = append(result.mounts, volume.HostPath.Path+":"+mount.MountPath)
		}
		if !mount.ReadOnly {
			t.Errorf("%s is mounted for writing", mount.MountPath)
		}
	}
	return result
}

func TestPod(t *testing.T) {
	checkMeasures(t, startMachine(t, ""), pod(t, nil).start(t))
}

func TestDaemonSet(t *testing.T) {
	c := kustomize(t)
	template := c.daemonSet.Spec.Template
	spec, sonde := template.Spec, template.Spec.Containers[0]
	security := sonde.SecurityContext
	for what, holds := range map[string]bool{
		"the host's PID namespace":       spec.HostPID,
		"no token for the API":           !*spec.AutomountServiceAccountToken && !*c.account.AutomountServiceAccountToken,
		"the service account":            spec.ServiceAccountName == c.account.Name,
		"no privileged container":        security.Privileged == nil,
		"no more privileges":             !*security.AllowPrivilegeEscalation,
		"a read-only root":               *security.ReadOnlyRootFilesystem,
		"all capabilities dropped first": slices.Equal(security.Capabilities.Drop, []core.Capability{"ALL"}),
		"the runtime's seccomp profile":  security.SeccompProfile.Type == core.SeccompProfileTypeRuntimeDefault,
		"a limit on memory":              !sonde.Resources.Limits.Memory().IsZero(),
		"probes for life and readiness":  sonde.LivenessProbe.HTTPGet.Path == "/-/healthy" && sonde.ReadinessProbe.HTTPGet.Path == "/-/ready",
		"a namespace that admits it":     c.namespace.Labels["pod-security.kubernetes.io/enforce"] == "privileged",
		"a service without address":      c.service.Spec.ClusterIP == core.ClusterIPNone,
	} {
		if !holds {
			t.Errorf("the base lacks %s", what)
		}
	}
	for name, selector := range map[string]map[string]string{
		"DaemonSet": c.daemonSet.Spec.Selector.MatchLabels, "Service": c.service.Spec.Selector,
	} {
		if len(selector) == 0 || !contains(template.Labels, selector) {
			t.Errorf("the %s selects %v, the pods have %v", name, selector, template.Labels)
		}
	}
}

func TestComponents(t *testing.T) {
	base := kustomize(t)
	labels, port := base.daemonSet.Spec.Template.Labels, base.daemonSet.Spec.Template.Spec.Containers[0].Ports[0].Name

	monitor := kustomize(t, "service-monitor").serviceMonitor.Spec
	if selector := monitor.Selector.MatchLabels; len(selector) == 0 || !contains(base.service.Labels, selector) {
		t.Errorf("the ServiceMonitor selects %v, the service has %v", selector, base.service.Labels)
	}
	if got := monitor.Endpoints[0].Port; got != base.service.Spec.Ports[0].Name {
		t.Errorf("the ServiceMonitor scrapes port %q, the service has %q", got, base.service.Spec.Ports[0].Name)
	}
	pods := kustomize(t, "pod-monitor").podMonitor.Spec
	if selector := pods.Selector.MatchLabels; len(selector) == 0 || !contains(labels, selector) {
		t.Errorf("the PodMonitor selects %v, the pods have %v", selector, labels)
	}
	if got := pods.PodMetricsEndpoints[0].Port; got == nil || *got != port {
		t.Errorf("the PodMonitor scrapes port %v, the pods have %q", got, port)
	}
	policy := kustomize(t, "network-policy").policy.Spec
	if selector := policy.PodSelector.MatchLabels; len(selector) == 0 || !contains(labels, selector) {
		t.Errorf("the NetworkPolicy selects %v, the pods have %v", selector, labels)
	}
	if got := policy.Ingress[0].Ports[0].Port.String(); got != port {
		t.Errorf("the NetworkPolicy opens port %q, the pods have %q", got, port)
	}
	added := kustomize(t, "sys-admin").daemonSet.Spec.Template.Spec.Containers[0].SecurityContext.Capabilities.Add
	if !slices.Contains(added, "SYS_ADMIN") || len(added) != len(pod(t, nil).capabilities)+1 {
		t.Errorf("with the component sys-admin the capabilities are %v", added)
	}
}

func TestExampleOverlay(t *testing.T) {
	c := decode(t, filesys.MakeFsOnDisk(), filepath.Join(release(t).root, manifests, "example"))
	want := "registry.example.com/sonde_exporter:" + release(t).version
	if got := c.daemonSet.Spec.Template.Spec.Containers[0].Image; got != want {
		t.Errorf("the example uses the image %q, want %q", got, want)
	}
}

// TestPodArguments demands that the program takes the arguments that the pod gives.
func TestPodArguments(t *testing.T) {
	c := pod(t, nil)
	args := []string{"--config.check"}
	for _, arg := range c.args {
		for _, mount := range c.mounts {
			from, to, _ := strings.Cut(mount, ":")
			arg = strings.Replace(arg, "="+to+"/", "="+from+"/", 1)
		}
		args = append(args, arg)
	}
	if outcome := harness.Run(t, release(t).programs.Exporter, 0, nil, args...); outcome.Code != 0 {
		t.Errorf("sonde_exporter %q ended with %d:\n%s", args, outcome.Code, outcome.Stderr)
	}
}

func contains(labels, wanted map[string]string) bool {
	for name, value := range wanted {
		if labels[name] != value {
			return false
		}
	}
	return true
}
