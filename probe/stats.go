package probe

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

var errNoSpace = unix.ENOSPC

// ProgramStats is the cost of one program since it was loaded.
type ProgramStats struct {
	Name  string
	Type  string
	Runs  uint64
	Time  time.Duration
	Skips uint64 // runs that the kernel skipped because the program was running
}

// EnableStats makes the kernel measure the time of BPF programs until the
// returned closer is closed. It costs some tens of nanoseconds a run.
func EnableStats() (io.Closer, error) {
	closer, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		return nil, fmt.Errorf("the kernel does not measure the run time of programs: %w", err)
	}
	return closer, nil
}

// Programs returns the cost of each program. Without EnableStats, or
// kernel.bpf_stats_enabled=1, the kernel keeps all numbers at zero.
func (p *Probe) Programs() ([]ProgramStats, error) {
	var all []ProgramStats
	read := func(name string, program *ebpf.Program) error {
		if program == nil { // of the TLS tap, which is not loaded
			return nil
		}
		stats, err := program.Stats()
		if err != nil {
			return fmt.Errorf("the cost of program %s cannot be read: %w", name, err)
		}
		all = append(all, ProgramStats{
			Name: name, Type: program.Type().String(), Runs: stats.RunCount, Time: stats.Runtime, Skips: stats.RecursionMisses,
		})
		return nil
	}
	p.tls.mu.Lock()
	defer p.tls.mu.Unlock()
	err := errors.Join(eachField(&p.objects.SondePrograms, read), eachField(&p.tls.objects.TlsPrograms, read))
	return all, err
}

// eachField visits the fields of a struct that bpf2go made, under the names that
// they have in the C source.
func eachField[T any](objects any, visit func(name string, value T) error) error {
	fields := reflect.ValueOf(objects).Elem()
	var failures []error
	for i := range fields.NumField() {
		value, ok := fields.Field(i).Interface().(T)
		name, _, _ := strings.Cut(fields.Type().Field(i).Tag.Get("ebpf"), ",")
		if ok {
			failures = append(failures, visit(name, value))
		}
	}
	return errors.Join(failures...)
}

// MapStats is the fill of one map.
type MapStats struct {
	Name     string
	Entries  uint64
	Capacity uint64
}

// Maps returns the fill of every map whose entries can be counted. Storage of
// sockets is counted by the kernel per socket, not per map.
func (p *Probe) Maps() ([]MapStats, error) {
	var all []MapStats
	told := map[string]bool{}
	read := func(name string, m *ebpf.Map) error {
		if m == nil || told[name] || (m.Type() != ebpf.Hash && m.Type() != ebpf.LRUHash) {
			return nil
		}
		told[name] = true // the objects share most maps
		entries, err := countEntries(m)
		if err != nil {
			return fmt.Errorf("the entries of map %s cannot be counted: %w", name, err)
		}
		all = append(all, MapStats{Name: name, Entries: entries, Capacity: uint64(m.MaxEntries())})
		return nil
	}
	p.tls.mu.Lock()
	defer p.tls.mu.Unlock()
	err := errors.Join(eachField(&p.objects.SondeMaps, read), eachField(&p.tls.objects.TlsMaps, read))
	return all, err
}

// countEntries walks the keys only: values of these maps may be large.
func countEntries(m *ebpf.Map) (uint64, error) {
	var count uint64
	var last any
	key := make([]byte, m.KeySize())
	for limit := 2 * uint64(m.MaxEntries()); count < limit; count++ {
		if err := m.NextKey(last, key); err != nil {
			if errors.Is(err, ebpf.ErrKeyNotExist) {
				return count, nil
			}
			return 0, err
		}
		last = key
	}
	return count, nil
}

// Overflow is how many observations went to overflow series.
func (p *Probe) Overflow() (uint64, error) { return counter(p.objects.OverflowCount) }

// Unsolicited is how many responses answered no request, as a 408 on an idle
// connection does.
func (p *Probe) Unsolicited() (uint64, error) { return counter(p.objects.UnsolicitedCount) }

func counter(v *ebpf.Variable) (uint64, error) {
	var count uint64
	if err := v.Get(&count); err != nil {
		return 0, fmt.Errorf("the counter %s cannot be read: %w", v, err)
	}
	return count, nil
}
