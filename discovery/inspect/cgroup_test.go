package inspect

import (
	"strings"
	"testing"
)

const (
	idA = "4f2c1b8a9d3e5f60718293a4b5c6d7e8f9012345678abcdef0123456789abcde"
	idB = "b1946ac92492d2347c6235b4d2611184a8b7c6d5e4f30211223344556677889a"
)

func TestCgroups(t *testing.T) {
	for _, test := range []struct {
		name, lines, container, unit string
	}{
		{"docker, v2, systemd driver", "0::/system.slice/docker-" + idA + ".scope\n", idA, ""},
		{"docker, v2, cgroupfs driver", "0::/docker/" + idA + "\n", idA, ""},
		{"docker, v1", "12:memory:/docker/" + idA + "\n11:cpu,cpuacct:/docker/" + idA + "\n1:name=systemd:/docker/" + idA + "\n", idA, ""},
		{"docker, hybrid", "4:memory:/docker/" + idA + "\n1:name=systemd:/docker/" + idA + "\n0::/system.slice/containerd.service\n", idA, "containerd.service"},
		{"docker seen from a private cgroup namespace", "0::/../" + idA + "\n", idA, ""},
		{"systemd inside docker", "0::/system.slice/docker-" + idA + ".scope/system.slice/nginx.service\n", idA, "nginx.service"},
		{"docker in docker", "0::/docker/" + idA + "/docker/" + idB + "\n", idB, ""},
		{"containerd, Kubernetes, v2", "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod8f3e_1.slice/cri-containerd-" + idA + ".scope\n", idA, ""},
		{"containerd, Kubernetes, v1, cgroupfs", "5:cpuset:/kubepods/besteffort/pod0f0d9a4e-93f3-11ec-9ac2-0242ac120002/" + idA + "\n", idA, ""},
		{"containerd without the systemd driver", "0::/system.slice/containerd.service/kubepods-burstable-pod8f3e_1.slice:cri-containerd:" + idA + "\n", idA, "containerd.service"},
		{"kind", "0::/docker/" + idA + "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod1.slice/cri-containerd-" + idB + ".scope\n", idB, ""},
		{"CRI-O", "0::/kubepods.slice/kubepods-pod77.slice/crio-" + idA + ".scope\n", idA, ""},
		{"monitor of CRI-O", "0::/kubepods.slice/kubepods-pod77.slice/crio-conmon-" + idA + ".scope\n", "", "crio-conmon-" + idA + ".scope"},
		{"podman as root", "0::/machine.slice/libpod-" + idA + ".scope/container\n", idA, ""},
		{"podman, rootless", "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + idA + ".scope/container\n", idA, "user@1000.service"},
		{"podman quadlet", "0::/system.slice/web.service/libpod-payload-" + idA + "\n", idA, "web.service"},
		{"nerdctl", "0::/system.slice/nerdctl-" + idA + ".scope\n", idA, ""},
		{"ECS on EC2", "9:perf_event:/ecs/0f1e2d3c4b5a69788796a5b4c3d2e1f0/" + idA + "\n", idA, ""},
		{"ECS on Fargate", "9:perf_event:/ecs/0f1e2d3c4b5a69788796a5b4c3d2e1f0/0f1e2d3c4b5a69788796a5b4c3d2e1f0-1234567890\n", "0f1e2d3c4b5a69788796a5b4c3d2e1f0-1234567890", ""},
		{"service, v2", "0::/system.slice/nginx.service\n", "", "nginx.service"},
		{"service, v1", "3:memory:/system.slice/nginx.service\n1:name=systemd:/system.slice/nginx.service\n", "", "nginx.service"},
		{"service, hybrid", "7:pids:/user.slice\n1:name=systemd:/system.slice/nginx.service\n0::/system.slice/nginx.service\n", "", "nginx.service"},
		{"service with cgroups of its own", "0::/system.slice/shop.service/workers/1\n", "", "shop.service"},
		{"removed cgroup", "0::/system.slice/nginx.service (deleted)\n", "", "nginx.service"},
		{"template", "0::/system.slice/system-postgresql.slice/postgresql@15-main.service\n", "", "postgresql@15-main.service"},
		{"escapes", "0::/system.slice/_my\\x2dshop\\x40.service\n", "", "my-shop@.service"},
		{"session", "0::/user.slice/user-0.slice/session-3.scope\n", "", "session-3.scope"},
		{"LXC", "0::/lxc.payload.web/system.slice/nginx.service\n", "", "nginx.service"},
		{"root cgroup", "1:name=systemd:/\n0::/\n", "", ""},
		{"64 letters that are no id", "0::/docker/" + strings.Repeat("z", 64) + "\n", "", ""},
		{"nonsense", "\x00\xff::::\n:\nx", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			cgroups := parseCgroups(test.lines)
			if got := containerIDOf(cgroups); got != test.container {
				t.Errorf("container = %q, want %q", got, test.container)
			}
			if got := unitOf(cgroups).name; got != test.unit {
				t.Errorf("unit = %q, want %q", got, test.unit)
			}
		})
	}
}

func TestUnitNames(t *testing.T) {
	for _, test := range []struct {
		name string
		p    fakeProcess
		want string // "" when the unit must not name the process
	}{
		{"plain", fakeProcess{exe: "/usr/sbin/nginx", cgroup: "0::/system.slice/nginx.service"}, "nginx"},
		{"own slice", fakeProcess{exe: "/opt/shop", cgroup: "0::/web.slice/shop.service"}, "shop"},
		{"template", fakeProcess{exe: "/sbin/agetty", tty: 1025, cgroup: "0::/system.slice/system-getty.slice/getty@tty1.service"}, "getty@tty1"},
		{"shell on a getty", fakeProcess{exe: "/bin/bash", tty: 1025, cgroup: "0::/system.slice/system-getty.slice/getty@tty1.service"}, ""},
		{"user's service", fakeProcess{exe: "/x", cgroup: "0::/user.slice/user-1000.slice/user@1000.service/app.slice/syncthing.service"}, "syncthing"},
		{"desktop program", fakeProcess{exe: "/x", cgroup: "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-code@1f2e.service"}, "app-code"},
		{"desktop session", fakeProcess{exe: "/x", cgroup: "0::/user.slice/user-1000.slice/user@1000.service/session.slice/org.gnome.Shell@wayland.service"}, ""},
		{"user manager", fakeProcess{exe: "/x", cgroup: "0::/user.slice/user-1000.slice/user@1000.service/app.slice"}, ""},
		{"session", fakeProcess{exe: "/x", cgroup: "0::/user.slice/user-0.slice/session-3.scope"}, ""},
		{"init", fakeProcess{exe: "/x", cgroup: "0::/init.scope"}, ""},
		{"sshd itself", fakeProcess{exe: "/usr/sbin/sshd", cgroup: "0::/system.slice/ssh.service"}, "ssh"},
		{"started over ssh", fakeProcess{exe: "/x", cgroup: "0::/system.slice/ssh.service"}, ""},
		{"started by cron", fakeProcess{exe: "/x", cgroup: "0::/system.slice/cron.service"}, ""},
		{"on a terminal", fakeProcess{exe: "/x", tty: 34817, cgroup: "0::/system.slice/tmux.service"}, ""},
		{"systemd-run", fakeProcess{exe: "/x", cgroup: "0::/system.slice/run-r0f1e2d3c4b5a69788796a5b4c3d2e1f0.service"}, ""},
		{"proxy of docker", fakeProcess{exe: "/usr/bin/docker-proxy", cgroup: "0::/system.slice/docker.service"}, ""},
		{"under PM2", fakeProcess{exe: "/x", cgroup: "0::/system.slice/pm2-deploy.service"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := newFakeHost(t).inspect(test.p).Identity()
			if test.want == "" && got.Source == SourceUnit {
				t.Errorf("was named %q after its unit", got.Name)
			}
			if test.want != "" && got != (Identity{Name: test.want, Source: SourceUnit}) {
				t.Errorf("Identity = %+v, want %q after its unit", got, test.want)
			}
		})
	}
}
