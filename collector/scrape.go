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
	Probe    *probe.Probe
	Registry *discovery.Registry
	Ledger   *series.Ledger
	Archive  *Archive
	TLS      *tlstap.Tap
	Table    *series.Table
	Started  time.Time // of the exporter
	Logger   *slog.Logger
}

// scrape is one scrape: what its collectors share is read once.
type scrape struct {
	Sources
	ctx  context.Context
	fold func() (series.Fold, error)
}

func newScrape(ctx context.Context, sources Sources) *scrape {
	s := &scrape{Sources: sources, ctx: ctx}
	s.fold = sync.OnceValues(s.readSeries)
	return s
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

// labelsOf returns the labels of a series but the service's, and its instance.
func labelsOf(ledger *series.Ledger, key probe.SeriesKey) (series.Labels, uint32, bool) {
	if instance, role, other := probe.IsOther(key.Operation); other {
		return series.OtherLabels(series.Role(role), key), instance, true
	}
	operation, known := ledger.Lookup(key.Operation)
	return series.LabelsOf(operation, key), operation.Instance, known
}
