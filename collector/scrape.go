package collector

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"sonde_exporter/bpf"
	"sonde_exporter/discovery"
	"sonde_exporter/probe"
	"sonde_exporter/series"
	"sonde_exporter/tlstap"
)

// Sources is where the collectors read.
type Sources struct {
	Probe     *probe.Probe
	Registry  *discovery.Registry
	Ledger    *series.Ledger
	Archive   *Archive
	TLS       *tlstap.Tap
	Exemplars *series.Exemplars
	Table     *series.Table
	Started   time.Time // of the exporter
	Logger    *slog.Logger
}

// scrape is one scrape: what its collectors share is read once.
type scrape struct {
	Sources
	ctx       context.Context
	fold      func() (series.Fold, error)
	exemplars func() map[series.Labels][]series.Exemplar
}

func newScrape(ctx context.Context, sources Sources) *scrape {
	s := &scrape{Sources: sources, ctx: ctx}
	s.fold = sync.OnceValues(s.readSeries)
	s.exemplars = sync.OnceValue(s.readExemplars)
	return s
}

// Fold returns all series as a scrape at this moment shows them. The caller may
// change them. The error is that of ctx if it ends, or tells why the kernel
// cannot be read.
func (s Sources) Fold(ctx context.Context) (series.Fold, error) {
	return newScrape(ctx, s).fold()
}

// readSeries sums what the kernel, the ledger and the archive have counted.
func (s *scrape) readSeries() (series.Fold, error) {
	s.Archive.moving.RLock()
	defer s.Archive.moving.RUnlock()
	fold := s.Archive.Fold()
	services := map[uint32]discovery.Service{}
	for _, instance := range s.Registry.Instances() {
		if instance.Selected {
			services[instance.ID] = instance.Service()
		}
	}
	add := func(key probe.SeriesKey, histogram *series.Histogram) {
		labels, instance, known := labelsOf(s.Ledger, key)
		service, selected := services[instance]
		if !known || !selected {
			return
		}
		labels.ServiceName, labels.ServiceNamespace = service.Name, service.Namespace
		fold.Add(labels, histogram)
	}
	s.Ledger.Each(add)
	err := s.Probe.NewReader().Each(func(key probe.SeriesKey, value *bpf.SondeHistogram) {
		add(key, &series.Histogram{SumNanoseconds: value.SumNs, Slots: value.Slots})
	})
	if s.ctx.Err() != nil {
		return nil, s.ctx.Err()
	}
	return fold, err
}

// readExemplars returns the exemplars of all series that are shown.
func (s *scrape) readExemplars() map[series.Labels][]series.Exemplar {
	if s.Exemplars == nil {
		return nil
	}
	return s.Exemplars.Fold(func(key probe.SeriesKey) (series.Labels, bool) {
		labels, instance, known := labelsOf(s.Ledger, key)
		owner, exists := s.Registry.Instance(instance)
		if !known || !exists {
			return labels, false
		}
		service := owner.Service()
		labels.ServiceName, labels.ServiceNamespace = service.Name, service.Namespace
		return labels, true
	})
}

// labelsOf returns the labels of a series but the service's, and its instance.
func labelsOf(ledger *series.Ledger, key probe.SeriesKey) (series.Labels, uint32, bool) {
	if instance, role, other := probe.IsOther(key.Operation); other {
		return series.OtherLabels(series.Role(role), key), instance, true
	}
	operation, known := ledger.Lookup(key.Operation)
	return series.LabelsOf(operation, key), operation.Instance, known
}
