package probe

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// Walk makes the sockets known that were open before Open: listeners first, then
// connections, which need them to know which side they are.
func (p *Probe) Walk() error {
	if err := walk(p.objects.ExistingListeners); err != nil {
		return err
	}
	if err := p.walkSubflows(); err != nil {
		p.options.Logger.Warn("not all listeners that were open before are measured", "err", err)
	}
	return walk(p.objects.ExistingConnections)
}

// walk runs an iterator program to its end. The programs print nothing.
func walk(program *ebpf.Program) error {
	iterator, err := link.AttachIter(link.IterOptions{Program: program})
	if err != nil {
		return lacking("", "the iterator %s cannot be attached on Linux %s: %w", program, KernelRelease(), err)
	}
	defer iterator.Close()
	run, err := iterator.Open()
	if err != nil {
		return fmt.Errorf("the iterator %s cannot be run: %w", program, err)
	}
	defer run.Close()
	if _, err := io.Copy(io.Discard, run); err != nil {
		return fmt.Errorf("the iterator %s broke off: %w", program, err)
	}
	return nil
}

// walkSubflows finds the TCP sockets inside MPTCP listeners (Go programs listen
// by MPTCP where the kernel has it). That iterator sees one network namespace,
// so it runs in each that a process with such a listener lives in.
func (p *Probe) walkSubflows() error {
	var address uint64
	var tgid uint32
	walked := map[string]bool{}
	var failures []error
	owners := p.objects.MptcpOwners.Iterate()
	for owners.Next(&address, &tgid) {
		path := filepath.Join(p.options.Procfs, fmt.Sprint(tgid), "ns", "net")
		namespace, err := os.Readlink(path)
		if err != nil || walked[namespace] {
			continue // the process has ended, or its namespace is done
		}
		walked[namespace] = true
		failures = append(failures, inNetworkNamespace(path, func() error {
			return walk(p.objects.ExistingSubflows)
		}))
	}
	return errors.Join(append(failures, owners.Err())...)
}

// inNetworkNamespace runs f on a thread that has entered the namespace. The
// thread is not unlocked, so the runtime ends it rather than use it again.
func inNetworkNamespace(path string, f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- func() error {
			namespace, err := os.Open(path)
			if errors.Is(err, os.ErrNotExist) {
				return nil // its last process has just ended
			}
			if err != nil {
				return fmt.Errorf("network namespace %s cannot be opened: %w", path, err)
			}
			defer namespace.Close()
			if isOwn(path) {
				return f()
			}
			if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
				return lacking("grant CAP_SYS_ADMIN",
					"network namespace %s cannot be entered, so MPTCP listeners in it that were open before are not measured: %w", path, err)
			}
			return f()
		}()
	}()
	return <-done
}

// isOwn spares the privilege that entering another namespace needs.
func isOwn(path string) bool {
	other, err := os.Stat(path)
	if err != nil {
		return false
	}
	own, err := os.Stat("/proc/thread-self/ns/net")
	return err == nil && os.SameFile(own, other)
}
