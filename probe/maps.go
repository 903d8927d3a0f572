package probe

import (
	"errors"
	"fmt"

	"sonde_exporter/bpf"
)

// The kernel's types under the names that the rest of Sonde uses.
type (
	OperationKey     = bpf.SondeOperationKey
	SeriesKey        = bpf.SondeSeriesKey
	ProcessEvent     = bpf.SondeProcessEvent
	OperationEvent   = bpf.SondeOperationEvent
	ObservationEvent = bpf.SondeObservationEvent
	Service          = bpf.SondeService
)

// Ignored is the operation number of requests that are not to be counted.
const Ignored = ^uint32(0)

// otherBit marks the operation numbers of overflow series.
const otherBit = uint32(1) << 31

// OtherOperation is the operation number of a service's overflow series.
func OtherOperation(service uint32, role uint8) uint32 {
	return otherBit | service<<1 | uint32(role&1)
}

// Side tells in which role a service takes part in an operation, and whether the
// operation goes over TLS.
func Side(key OperationKey) (role uint8, overTLS bool) {
	return key.Side & 1, key.Side>>1 == uint8(bpf.SondeTransportTRANSPORT_TLS)
}

// IsOther tells whether an operation number is that of an overflow series, and
// of which service and role.
func IsOther(operation uint32) (service uint32, role uint8, ok bool) {
	if operation&otherBit == 0 || operation == Ignored {
		return 0, 0, false
	}
	return operation &^ otherBit >> 1, uint8(operation & 1), true
}

// Teach tells the kernel the number of an operation, or Ignored.
func (p *Probe) Teach(key OperationKey, operation uint32) error {
	if err := p.objects.Operations.Put(key, operation); err != nil {
		return fmt.Errorf("the kernel cannot be taught an operation: %w", err)
	}
	return nil
}

// Known looks up the number of an operation that was taught before.
func (p *Probe) Known(key OperationKey) (operation uint32, ok bool) {
	return operation, p.objects.Operations.Lookup(key, &operation) == nil
}

// ForgetOperations makes the kernel ask again for the operations that match.
func (p *Probe) ForgetOperations(matches func(OperationKey) bool) error {
	return deleteWhere(p.objects.Operations, func(key OperationKey, _ uint32) bool { return matches(key) })
}

// Service reads what the kernel knows of an instance.
func (p *Probe) Service(id uint32) (Service, error) {
	var service Service
	if err := p.objects.Services.Lookup(id, &service); err != nil {
		return service, fmt.Errorf("instance %d cannot be read: %w", id, err)
	}
	return service, nil
}

// Processes lists the thread group ids of an instance's processes.
func (p *Probe) Processes(service uint32) []uint32 {
	var all []uint32
	err := eachEntry(p.objects.Processes, func(tgid uint32, process bpf.SondeProcess) {
		if process.Service == service {
			all = append(all, tgid)
		}
	})
	if err != nil {
		p.options.Logger.Error("not all processes of a service are known", "err", err)
	}
	return all
}

// Rejudge makes every connection look again whether it is to be measured.
func (p *Probe) Rejudge() error { return increase(p.objects.UserGeneration, 1) }

// Settings can be changed while the programs run.
type Settings struct {
	SeriesLimit           uint32 // at most what Open was given
	SeriesLimitPerService uint32
	FoldIDs               bool // path segments that look like ids count as one
}

// Apply puts settings in force.
func (p *Probe) Apply(settings Settings) error {
	var fold uint32
	if settings.FoldIDs {
		fold = 1
	}
	return errors.Join(
		p.objects.SeriesLimit.Set(min(settings.SeriesLimit, p.options.SeriesLimit)),
		p.objects.SeriesLimitPerService.Set(settings.SeriesLimitPerService),
		p.objects.FoldIds.Set(fold),
	)
}
