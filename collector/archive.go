package collector

import (
	"maps"
	"sync"

	"sonde_exporter/bpf"
	"sonde_exporter/discovery"
	"sonde_exporter/probe"
	"sonde_exporter/series"
)

// protocolCounts are connections by role, transport and protocol, as the kernel
// counts them.
type protocolCounts = [bpf.SondeRoleROLES][bpf.SondeTransportTRANSPORTS][bpf.SondeProtocolPROTOCOLS]uint64

// Archive keeps what instances counted that are gone, as long as their service
// has another instance: a service that restarts must not see its counters fall.
// It is safe for concurrent use.
type Archive struct {
	// moving is held while series move from an instance to the archive, so that
	// no scrape sees them in both places or in none.
	moving sync.RWMutex

	mu          sync.Mutex
	folds       map[discovery.Service]series.Fold
	connections map[discovery.Service]protocolCounts
}

// archivedPerService bounds the series of one service; more are added up as other.
const archivedPerService = 2000

// NewArchive returns an empty archive.
func NewArchive() *Archive {
	return &Archive{
		folds:       map[discovery.Service]series.Fold{},
		connections: map[discovery.Service]protocolCounts{},
	}
}

// Fold returns a copy of all archived series.
func (a *Archive) Fold() series.Fold {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := series.Fold{}
	for _, fold := range a.folds {
		for labels, histogram := range fold {
			copied := *histogram
			all.Add(labels, &copied)
		}
	}
	return all
}

// Connections returns the archived connections of each service.
func (a *Archive) Connections() map[discovery.Service]protocolCounts {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.connections)
}

// add archives one series of a service.
func (a *Archive) add(service discovery.Service, labels series.Labels, histogram *series.Histogram) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.folds[service] == nil {
		a.folds[service] = series.Fold{}
	}
	labels.ServiceName, labels.ServiceNamespace = service.Name, service.Namespace
	if _, exists := a.folds[service][labels]; !exists && len(a.folds[service]) >= archivedPerService {
		labels = series.Labels{
			ServiceName: service.Name, ServiceNamespace: service.Namespace,
			Role: labels.Role, Method: series.OtherMethod, Route: series.OtherRoute,
		}
	}
	a.folds[service].Add(labels, histogram)
}

func (a *Archive) addConnections(service discovery.Service, counts protocolCounts) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.connections[service] = sumCounts(a.connections[service], counts)
}

// keep drops the services that are not among these.
func (a *Archive) keep(services map[discovery.Service][]discovery.Instance) (dropped []discovery.Service) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for service := range a.connections {
		if services[service] == nil {
			dropped = append(dropped, service)
		}
	}
	for service := range a.folds {
		if _, listed := a.connections[service]; !listed && services[service] == nil {
			dropped = append(dropped, service)
		}
	}
	for _, service := range dropped {
		delete(a.folds, service)
		delete(a.connections, service)
	}
	return dropped
}

func sumCounts(a, b protocolCounts) protocolCounts {
	for role := range a {
		for transport := range a[role] {
			for protocol := range a[role][transport] {
				a[role][transport][protocol] += b[role][transport][protocol]
			}
		}
	}
	return a
}

// Retire removes an instance that has been gone for long. What it counted moves
// to the archive if its service lives on in another instance, and ends if not.
func (s Sources) Retire(instance discovery.Instance) error {
	s.Archive.moving.Lock()
	defer s.Archive.moving.Unlock()
	service := instance.Service()
	livesOn := len(byService(s.Registry)[service]) > 1 && instance.Selected
	if counts, err := s.Probe.Service(instance.ID); err == nil && livesOn {
		s.Archive.addConnections(service, counts.Connections)
	}
	err := s.Ledger.Retire(instance.ID, func(key probe.SeriesKey, histogram *series.Histogram) {
		if labels, _, known := labelsOf(s.Ledger, key); known && livesOn {
			s.Archive.add(service, labels, histogram)
		}
	})
	if err != nil {
		return err
	}
	if !livesOn {
		s.Ledger.Forget(service.Name)
	}
	s.Ledger.Release(instance.ID)
	s.Registry.Remove(instance.ID)
	return s.Probe.FreeService(instance.ID)
}

// Prune drops what was archived of services that have no instance any more, or
// that go by another name since the configuration was reloaded.
func (s Sources) Prune() {
	for _, service := range s.Archive.keep(byService(s.Registry)) {
		s.Ledger.Forget(service.Name)
	}
}
