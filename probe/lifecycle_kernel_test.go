package probe

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cilium/ebpf"

	"sonde_exporter/bpf"
)

// TestPrograms prints how much of each program the verifier had to read: at a
// million instructions it gives up.
func TestPrograms(t *testing.T) {
	k := openProbe(t)
	visit := func(name string, program *ebpf.Program) error {
		info, err := program.Info()
		if err != nil {
			return err
		}
		count, known := info.VerifiedInstructions()
		if !known || count == 0 {
			return fmt.Errorf("the verifier does not tell how much of %s it read", name)
		}
		t.Logf("verified %s %d", name, count)
		return nil
	}
	if err := k.loadTLS(); err != nil {
		t.Error(err)
	}
	if err := errors.Join(eachField(&k.objects.SondePrograms, visit), eachField(&k.tls.objects.TlsPrograms, visit)); err != nil {
		t.Error(err)
	}
	hooks := map[string]bool{}
	for _, tap := range k.Taps() {
		hooks[tap.Hook] = true
	}
	for _, hook := range []string{
		"cgroup_skb/ingress", "cgroup_skb/egress", "tp_btf/inet_sock_set_state", "tp_btf/tcp_rcv_space_adjust",
		"tp_btf/sched_process_fork", "tp_btf/sched_process_exec", "tp_btf/sched_process_exit",
	} {
		if !hooks[hook] {
			t.Errorf("no tap says that %s is attached", hook)
		}
	}
}

// TestStats has the numbers that Sonde tells of itself move with what happens.
func TestStats(t *testing.T) {
	needKernel(t)
	stats, err := EnableStats()
	if err != nil {
		t.Fatal(err)
	}
	defer stats.Close()
	k := openProbe(t)
	server := start(t, part{Script: answer(getHello, okHello)})
	callFromOutside(t, call{Address: server.address, Times: 99, Script: exchange(getHello, okHello)})
	k.expect(t, k.instanceOf(t, server), tally{"server GET /hello 200": 99})
	// Only now is it sure that the kernel knows the operation and makes a series.
	callFromOutside(t, call{Address: server.address, Script: exchange(getHello, okHello)})
	k.expect(t, k.instanceOf(t, server), tally{"server GET /hello 200": 100})
	programs, err := k.Programs()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range programs {
		if (p.Name == "wire_ingress" || p.Name == "wire_egress") && (p.Runs < 100 || p.Time <= 0) {
			t.Errorf("%s ran %d times in %s, want 100 times at least", p.Name, p.Runs, p.Time)
		}
	}
	filled, err := k.Maps()
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string]uint64{}
	for _, m := range filled {
		if m.Entries > m.Capacity {
			t.Errorf("map %s has %d entries and room for %d", m.Name, m.Entries, m.Capacity)
		}
		entries[m.Name] = m.Entries
	}
	if entries[bpf.SondeMapProcesses] == 0 || entries[bpf.SondeMapOperations] == 0 || entries[bpf.SondeMapSeries] < 1+overflowSeriesPerService {
		t.Errorf("a service is measured, but the maps have entries as follows: %v", entries)
	}
	losses, err := k.Losses()
	if err != nil {
		t.Fatal(err)
	}
	for _, loss := range losses {
		if loss.Reason == "" {
			t.Errorf("losses without a name: %+v", losses)
		}
	}
}

// TestProcesses follows processes until nothing is left of them.
func TestProcesses(t *testing.T) {
	k := openProbe(t)
	t.Run("one that exits at once", func(t *testing.T) {
		server := start(t, part{Script: []step{receive(getHello), send(okHello), end(endExit)}})
		callFromOutside(t, call{Address: server.address, Script: []step{send(getHello), receive(okHello), end(endDrain)}})
		instance := k.instanceOf(t, server)
		k.expect(t, instance, tally{"server GET /hello 200": 1})
		k.expectGone(t, instance, server)
	})
	t.Run("one that exits with a request in hand", func(t *testing.T) {
		server := start(t, part{Script: []step{receive(getHello), end(endExit)}})
		callFromOutside(t, call{Address: server.address, Script: []step{send(getHello), end(endDrain)}})
		instance := k.instanceOf(t, server)
		k.expect(t, instance, tally{"server GET /hello closed": 1})
		k.expectGone(t, instance, server)
	})
	t.Run("one that left another in its place", func(t *testing.T) {
		server := start(t, part{HandsOver: true, Script: answer(getHello, okHello)})
		callFromOutside(t, call{Address: server.address, Script: exchange(getHello, okHello)})
		instance := k.instanceOf(t, server)
		k.expect(t, instance, tally{"server GET /hello 200": 1})
		eventually(t, func() string { return k.lives(t, instance, 1, 1) })
		server.stop()
		k.expectGone(t, instance, server)
	})
	t.Run("one that listens over MPTCP", func(t *testing.T) {
		requireMPTCP(t)
		server := start(t, part{MPTCP: true, Script: answer(getHello, okHello)})
		callFromOutside(t, call{Address: server.address, Script: exchange(getHello, okHello)})
		instance := k.instanceOf(t, server)
		eventually(t, func() string { return k.lives(t, instance, 1, 1) })
		server.stop()
		k.expectGone(t, instance, server)
	})
	t.Run("elsewhere", func(t *testing.T) {
		server := start(t, part{Script: answer(getHello, okHello)}, elsewhere)
		instance := k.instanceOf(t, server)
		eventually(t, func() string { return k.lives(t, instance, 1, 1) })
		server.stop()
		k.expectGone(t, instance, server)
	})
}

// lives complains if an instance has not this many processes and listeners.
func (k kernel) lives(t *testing.T, instance uint32, processes, listeners int32) string {
	t.Helper()
	service, err := k.Service(instance)
	if err != nil {
		t.Fatal(err)
	}
	if service.Processes != processes || service.Listeners != listeners {
		return fmt.Sprintf("the instance has %d processes and %d listeners, want %d and %d",
			service.Processes, service.Listeners, processes, listeners)
	}
	return ""
}

// expectGone waits until the kernel has forgotten the processes of a player.
func (k kernel) expectGone(t *testing.T, instance uint32, p *player) {
	t.Helper()
	eventually(t, func() string {
		if complaint := k.lives(t, instance, 0, 0); complaint != "" {
			return complaint
		}
		for _, pid := range []int{p.pid, p.serving} {
			var process bpf.SondeProcess
			if k.objects.Processes.Lookup(uint32(pid), &process) == nil {
				return fmt.Sprintf("process %d is still known", pid)
			}
		}
		return ""
	})
}

// TestClose leaves nothing in the kernel, so that Sonde can be started again.
func TestClose(t *testing.T) {
	var programs []ebpf.ProgramID
	var maps []ebpf.MapID
	t.Run("open", func(t *testing.T) {
		k := openProbe(t)
		collect := func(_ string, program *ebpf.Program) error {
			info, err := program.Info()
			if err == nil {
				id, _ := info.ID()
				programs = append(programs, id)
			}
			return err
		}
		if err := eachField(&k.objects.SondePrograms, collect); err != nil {
			t.Fatal(err)
		}
		if err := eachField(&k.objects.SondeMaps, func(_ string, m *ebpf.Map) error {
			info, err := m.Info()
			if err == nil {
				id, _ := info.ID()
				maps = append(maps, id)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
	eventually(t, func() string {
		for _, id := range programs {
			if program, err := ebpf.NewProgramFromID(id); err == nil {
				program.Close()
				return fmt.Sprintf("%s is still in the kernel", program)
			}
		}
		for _, id := range maps {
			if m, err := ebpf.NewMapFromID(id); err == nil {
				m.Close()
				return fmt.Sprintf("%s is still in the kernel", m)
			}
		}
		return ""
	})
	k := openProbe(t)
	server := start(t, part{Script: answer(getHello, okHello)})
	callFromOutside(t, call{Address: server.address, Script: exchange(getHello, okHello)})
	k.expect(t, k.instanceOf(t, server), tally{"server GET /hello 200": 1})
}
