package probe

import (
	"fmt"
	"io"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// Walk makes the sockets known that were open before Open: listeners first, then
// connections, which need them to know which side they are.
func (p *Probe) Walk() error {
	if err := walk(p.objects.ExistingListeners); err != nil {
		return err
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
