package discovery

import (
	"slices"
	"time"

	"sonde_exporter/discovery/inspect"
	"sonde_exporter/probe"
)

// Instance is a process that listens on TCP, with its children: what the kernel
// counts under one number. Several instances may be one service.
type Instance struct {
	ID       uint32
	Process  inspect.Process
	Identity inspect.Identity
	Ports    []uint16 // ascending
	Selected bool
	Reason   string    // why it is selected, or not
	Appeared time.Time // when it began to listen; zero if it did before Sonde had looked around
	Gone     time.Time // when its last process and listener were found gone; zero while it lives

	announceLimit uint64
}

// Service identifies a service: instances with equal ones are counted together.
type Service struct {
	Name, Namespace string
}

// Service returns which service this is an instance of.
func (i *Instance) Service() Service {
	return Service{Name: i.Identity.Name, Namespace: i.Identity.Namespace}
}

// goLanguage is a runtime that moves what handles a request between threads.
const goLanguage = "go"

func (i *Instance) decision() probe.Decision {
	return probe.Decision{Excluded: !i.Selected, Hops: i.Process.Language == goLanguage}
}

func (i *Instance) addPort(port uint16) {
	if at, found := slices.BinarySearch(i.Ports, port); !found && port != 0 {
		i.Ports = slices.Insert(slices.Clone(i.Ports), at, port)
	}
}
