package inspect

import "testing"

const pods = "0::/kubepods.slice/kubepods-pod77.slice/cri-containerd-" + idA + ".scope"

func TestDeclaredNames(t *testing.T) {
	const unit = "0::/system.slice/nginx.service"
	for _, test := range []struct {
		name string
		p    fakeProcess
		want Identity
	}{
		{"name", fakeProcess{env: []string{"OTEL_SERVICE_NAME=shop"}}, Identity{"shop", "", SourceServiceName}},
		{"both", fakeProcess{env: []string{"OTEL_SERVICE_NAME=shop", "OTEL_RESOURCE_ATTRIBUTES=service.name=x,service.namespace=acme"}},
			Identity{"shop", "acme", SourceServiceName}},
		{"attributes", fakeProcess{env: []string{"OTEL_RESOURCE_ATTRIBUTES=a=b, service.name=my%20shop ,service.namespace=a%2Cb,"}},
			Identity{"my shop", "a,b", SourceResourceAttributes}},
		{"namespace alone", fakeProcess{env: []string{"OTEL_RESOURCE_ATTRIBUTES=service.namespace=acme"}}, Identity{"nginx", "acme", SourceUnit}},
		{"malformed attributes", fakeProcess{env: []string{"OTEL_RESOURCE_ATTRIBUTES=service.name=shop,broken"}}, Identity{"nginx", "", SourceUnit}},
		{"malformed escape", fakeProcess{env: []string{"OTEL_RESOURCE_ATTRIBUTES=service.name=%zz"}}, Identity{"nginx", "", SourceUnit}},
		{"empty name", fakeProcess{env: []string{"OTEL_SERVICE_NAME= \n"}}, Identity{"nginx", "", SourceUnit}},
		{"Java property", fakeProcess{exe: "/usr/bin/java", args: words("java -Dotel.service.name=shop -jar a.jar"), env: []string{"OTEL_SERVICE_NAME=x"}},
			Identity{"shop", "", SourceJavaProperty}},
		{"property of no Java program", fakeProcess{args: words("nginx -Dotel.service.name=shop")}, Identity{"nginx", "", SourceUnit}},
		{"supervisord", fakeProcess{env: []string{"SUPERVISOR_GROUP_NAME=shop"}, cgroup: "0::/system.slice/supervisor.service"},
			Identity{"shop", "", SourceSupervisor}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.p.exe == "" {
				test.p.exe = "/nonexistent/nginx"
			}
			if test.p.cgroup == "" {
				test.p.cgroup = unit
			}
			if got := newFakeHost(t).inspect(test.p).Identity(); got != test.want {
				t.Errorf("Identity = %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestContainerNames(t *testing.T) {
	const (
		docker       = "0::/system.slice/docker-" + idA + ".scope"
		dockerRecord = "/var/lib/docker/containers/" + idA + "/config.v2.json"
		bundle       = "/run/containerd/io.containerd.runtime.v2.task/k8s.io/" + idA + "/config.json"
		crioBundle   = "/run/containers/storage/overlay-containers/" + idA + "/userdata/config.json"
		podmanList   = "/var/lib/containers/storage/overlay-containers/containers.json"
		namespace    = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
	)
	inside := Identity{"nginx", "", SourceExecutable}
	for _, test := range []struct {
		name   string
		cgroup string
		env    []string
		host   map[string]string // files of the host
		files  map[string]string // files of the container
		want   Identity
	}{
		{name: "nothing but an id", cgroup: docker, want: inside},
		{name: "host name made of the id", cgroup: docker, env: []string{"HOSTNAME=" + idA[:12]}, want: inside},
		{name: "name of the host", cgroup: docker, files: map[string]string{"/etc/hostname": "bighost\n"}, want: inside},
		{name: "full name of the host", cgroup: docker, env: []string{"HOSTNAME=bighost.example.net"}, want: inside},
		{name: "chosen host name", cgroup: docker, files: map[string]string{"/etc/hostname": "shop\n"}, want: Identity{"shop", "", SourceHostname}},
		{name: "docker run --name", cgroup: docker, host: map[string]string{dockerRecord: `{"Name":"/shop"}`}, want: Identity{"shop", "", SourceContainer}},
		{name: "name of two words", cgroup: docker, host: map[string]string{dockerRecord: `{"Name":"/my_shop"}`}, want: Identity{"my_shop", "", SourceContainer}},
		{name: "name made up by docker", cgroup: docker, host: map[string]string{dockerRecord: `{"Name":"/quirky_euler7"}`}, want: inside},
		{name: "malformed record", cgroup: docker, host: map[string]string{dockerRecord: `{"Name":`}, want: inside},
		{
			name: "compose", cgroup: docker,
			host: map[string]string{dockerRecord: `{"Name":"/acme-web-1","Config":{"Labels":{"com.docker.compose.service":"web","com.docker.compose.project":"acme"}}}`},
			want: Identity{"web", "acme", SourceContainer},
		},
		{
			name: "swarm", cgroup: docker,
			host: map[string]string{dockerRecord: `{"Name":"/acme_web.1.xyz","Config":{"Labels":{"com.docker.swarm.service.name":"acme_web","com.docker.stack.namespace":"acme"}}}`},
			want: Identity{"web", "acme", SourceContainer},
		},
		{
			name: "podman", cgroup: "0::/machine.slice/libpod-" + idA + ".scope/container",
			host: map[string]string{podmanList: `[{"id":"` + idB + `","names":["other"]},{"id":"` + idA + `","names":["shop"]}]`},
			want: Identity{"shop", "", SourceContainer},
		},
		{name: "quadlet", cgroup: "0::/system.slice/web.service/libpod-payload-" + idA, want: Identity{"web", "", SourceUnit}},
		{
			name: "pod by its host name", cgroup: pods, env: []string{"HOSTNAME=shop-api-7d9f8b6c54-x2lkp"},
			files: map[string]string{namespace: "acme\n"}, want: Identity{"shop-api", "acme", SourcePod},
		},
		{
			name: "pod by containerd", cgroup: pods, env: []string{"HOSTNAME=bighost"},
			host: map[string]string{bundle: `{"annotations":{"io.kubernetes.cri.sandbox-name":"shop-api-7d9f8b6c54-x2lkp","io.kubernetes.cri.sandbox-namespace":"acme"}}`},
			want: Identity{"shop-api", "acme", SourcePod},
		},
		{
			name: "pod by CRI-O", cgroup: "0::/kubepods.slice/crio-" + idA + ".scope",
			host: map[string]string{crioBundle: `{"annotations":{"io.kubernetes.pod.name":"kafka-0","io.kubernetes.pod.namespace":"acme"}}`},
			want: Identity{"kafka", "acme", SourcePod},
		},
		{name: "pod in the host's network", cgroup: pods, env: []string{"HOSTNAME=bighost"}, files: map[string]string{namespace: "acme"}, want: Identity{"nginx", "acme", SourceExecutable}},
	} {
		t.Run(test.name, func(t *testing.T) {
			host := newFakeHost(t)
			for path, content := range test.host {
				host.write(host.Root+path, content)
			}
			p := host.inspect(fakeProcess{exe: "/nonexistent/nginx", args: words("nginx"), cgroup: test.cgroup, env: test.env, files: test.files})
			if got := p.Identity(); got != test.want {
				t.Errorf("Identity = %+v, want %+v", got, test.want)
			}
			if p.ContainerID != idA {
				t.Errorf("ContainerID = %q, want %q", p.ContainerID, idA)
			}
		})
	}
}

func TestWorkloadOfPod(t *testing.T) {
	for pod, want := range map[string]string{
		"shop-api-7d9f8b6c54-x2lkp":   "shop-api",      // deployment
		"node-exporter-x7k2p":         "node-exporter", // daemon set
		"kafka-broker-12":             "kafka-broker",  // stateful set
		"backup-28391040-abcde":       "backup-28391040-abcde",
		"backup-28391040-bcdfg":       "backup", // cron job
		"kube-apiserver-controlplane": "kube-apiserver-controlplane",
		"-x7k2p":                      "-x7k2p",
		"":                            "",
	} {
		if got := workloadOf(pod); got != want {
			t.Errorf("workloadOf(%q) = %q, want %q", pod, got, want)
		}
	}
}

func TestIdentityOfNothing(t *testing.T) {
	if got := (Process{}).Identity(); got != (Identity{Name: "unknown", Source: SourceUnknown}) {
		t.Errorf("Identity = %+v", got)
	}
}
