package tracing

import (
	"fmt"
	"strings"
	"testing"

	"sonde_exporter/discovery"
	"sonde_exporter/discovery/inspect"
	"sonde_exporter/probe"
)

func plainResource() attributesOf {
	return attributesOf{
		"service.name": "shop", "service.instance.id": "node1:42", "host.name": "node1", "process.pid": int64(42),
		"telemetry.sdk.name": "sonde", "telemetry.sdk.language": "generic", "telemetry.sdk.version": "1.2.3",
		"telemetry.distro.name": "sonde", "telemetry.distro.version": "1.2.3",
	}
}

func TestResource(t *testing.T) {
	const uid = "0a1b2c3d-1111-2222-3333-444455556666"
	tests := []struct {
		name     string
		process  inspect.Process
		identity inspect.Identity
		sonde    map[string]string
		want     attributesOf // what differs from plainResource
	}{
		{"little is known", inspect.Process{PID: 42}, inspect.Identity{Name: "shop"}, nil, nil},
		{
			"a container",
			inspect.Process{PID: 42, Executable: "/usr/bin/node", Language: "nodejs", ContainerID: "abc"},
			inspect.Identity{Name: "shop", Namespace: "prod"}, nil,
			attributesOf{
				"service.namespace": "prod", "process.executable.path": "/usr/bin/node",
				"process.executable.name": "node", "telemetry.sdk.language": "nodejs", "container.id": "abc",
			},
		},
		{
			"a pod",
			inspect.Process{
				PID: 42, Env: map[string]string{"HOSTNAME": "shop-0"},
				Cgroups: []string{"/kubepods.slice/kubepods-pod" + strings.ReplaceAll(uid, "-", "_") + ".slice/cri-containerd-abc.scope"},
			},
			inspect.Identity{Name: "shop", Namespace: "prod", Source: inspect.SourcePod}, nil,
			attributesOf{
				"service.namespace": "prod", "k8s.pod.uid": uid, "k8s.pod.name": "shop-0", "k8s.namespace.name": "prod",
			},
		},
		{
			"a pod in the network of its node",
			inspect.Process{
				PID: 42, Env: map[string]string{"HOSTNAME": "node1"}, Cgroups: []string{"/kubepods/besteffort/pod" + uid + "/abc"},
			},
			inspect.Identity{Name: "shop"}, nil, attributesOf{"k8s.pod.uid": uid},
		},
		{
			"what the service says wins over what Sonde was told",
			inspect.Process{PID: 42, Env: map[string]string{
				"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=prod,service.instance.id=i-1,service.name=own,process.pid=1,service.version=2",
			}},
			inspect.Identity{Name: "shop"},
			map[string]string{
				"deployment.environment.name": "test", "cloud.region": "eu", "host.name": "metal", "service.name": "sonde",
				"service.instance.id": "s", "service.version": "9",
			},
			attributesOf{
				"deployment.environment.name": "prod", "service.instance.id": "i-1", "service.version": "2",
				"cloud.region": "eu", "host.name": "metal",
			},
		},
		{
			"malformed",
			inspect.Process{PID: 42, Env: map[string]string{"OTEL_RESOURCE_ATTRIBUTES": "a=b,nonsense"}},
			inspect.Identity{Name: "shop"}, nil, nil,
		},
		{
			"hostile",
			inspect.Process{PID: 42, Executable: "/tmp/\xff", Env: map[string]string{"OTEL_RESOURCE_ATTRIBUTES": "k%FF=%00"}},
			inspect.Identity{Name: "shop"}, nil,
			attributesOf{"process.executable.path": "/tmp/\uFFFD", "process.executable.name": "\uFFFD", "k\uFFFD": "\uFFFD"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := options()
			o.Resource = test.sonde
			o.Instance = func(uint32) (discovery.Instance, bool) {
				return discovery.Instance{Selected: true, Process: test.process, Identity: test.identity}, true
			}
			b := newBuilder(o)
			batch := b.build([]probe.Span{served("")})
			got := table(batch.resources[0].GetResource().GetAttributes())
			compare(t, got, plainResource().with(test.want))
		})
	}
}

func TestDeclaredIsCapped(t *testing.T) {
	var pairs []string
	for i := range 1000 {
		pairs = append(pairs, fmt.Sprintf("k%d=v", i))
	}
	pairs = append(pairs, strings.Repeat("a", maxKey+1)+"=v")
	got := declared(inspect.Process{Env: map[string]string{"OTEL_RESOURCE_ATTRIBUTES": strings.Join(pairs, ",")}})
	if len(got) != maxDeclared {
		t.Errorf("%d attributes, want %d", len(got), maxDeclared)
	}
}

// TestOneResourceEach has requests of several instances in one batch.
func TestOneResourceEach(t *testing.T) {
	o := options()
	o.Instance = func(number uint32) (discovery.Instance, bool) {
		return discovery.Instance{
			Selected: number != 3, Process: inspect.Process{PID: int(number)}, Identity: inspect.Identity{Name: "shop"},
		}, number < 4
	}
	o.Route = func(_ uint32, path string) (string, bool) { return "/{any}", path == "/health" }
	var spans []probe.Span
	for _, service := range []uint32{1, 2, 1, 3, 4, 2, 2} { // 3 is not selected, 4 not known
		span := served("GET /a HTTP/1.1\r\n\r\n")
		span.Service = service
		spans = append(spans, span)
	}
	spans[0].Operation = 0
	spans[6].Operation, spans[6].Head = 0, []byte("GET /health HTTP/1.1\r\n\r\n")
	b := newBuilder(o)
	batch := b.build(spans)
	if batch.requests != 4 || batch.unknown != 2 || batch.ignored != 1 {
		t.Errorf("batch has %d requests, %d unknown, %d ignored", batch.requests, batch.unknown, batch.ignored)
	}
	if len(batch.resources) != 2 {
		t.Fatalf("%d resources", len(batch.resources))
	}
	for i, want := range []int{2, 2} {
		if got := batch.resources[i].GetScopeSpans()[0].GetSpans(); len(got) != want {
			t.Errorf("resource %d has %d spans, want %d", i, len(got), want)
		}
	}
	if name := batch.resources[0].GetScopeSpans()[0].GetSpans()[0].GetName(); name != "GET /{any}" {
		t.Errorf("a new path is named %q", name)
	}
}
