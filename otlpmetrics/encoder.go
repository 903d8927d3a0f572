package otlpmetrics

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"

	"sonde_exporter/config"
	"sonde_exporter/metric"
	"sonde_exporter/series"
)

// requestSize ends a request in bytes before compression. A gRPC server takes
// 4 MiB if it is not told otherwise; the rest is room for one more point and
// its resource.
const requestSize = 7 << 19

// encoder writes series as OTLP messages.
type encoder struct {
	table       *series.Table
	exponential bool
	started     time.Time // when all counting began
	resource    []*commonpb.KeyValue
	scope       *commonpb.InstrumentationScope
	requestSize int
}

func newEncoder(opts Options) encoder {
	return encoder{
		table: opts.Table, started: opts.Started, requestSize: requestSize,
		exponential: opts.Config.Histogram == config.HistogramExponential,
		resource:    commonResource(opts),
		scope:       &commonpb.InstrumentationScope{Name: scopeName, Version: opts.Version},
	}
}

// requests yields the messages that together hold all series of a fold, which
// was read at the given time. Each is made when it is asked for, so that only one
// is in memory.
func (e *encoder) requests(fold series.Fold, read time.Time) iter.Seq[*collectorpb.ExportMetricsServiceRequest] {
	return func(yield func(*collectorpb.ExportMetricsServiceRequest) bool) {
		current := newBatch(e, read)
		for _, point := range pointsOf(fold) {
			current.add(point)
			if current.size < e.requestSize {
				continue
			}
			if !yield(current.request) {
				return
			}
			current = newBatch(e, read)
		}
		if current.size > 0 {
			yield(current.request)
		}
	}
}

// point is one series of one metric.
type point struct {
	definition *metric.Definition
	labels     series.Labels
	histogram  *series.Histogram
}

// pointsOf orders the series so that those of one service stand together, and
// among them those of one metric.
func pointsOf(fold series.Fold) []point {
	points := make([]point, 0, len(fold))
	for _, definition := range metric.All() {
		for labels, histogram := range definition.Series(fold) {
			points = append(points, point{&definition, labels, histogram})
		}
	}
	slices.SortStableFunc(points, func(a, b point) int {
		return cmp.Or(
			strings.Compare(a.labels.ServiceNamespace, b.labels.ServiceNamespace),
			strings.Compare(a.labels.ServiceName, b.labels.ServiceName),
		)
	})
	return points
}

// asScraped returns the histogram as the scrape shows it, so that both ways out
// can only say the same.
func (e *encoder) asScraped(h *series.Histogram) *dto.Histogram {
	var message dto.Metric
	// Write has no error: a histogram of the kernel is always complete.
	_ = series.NewMetric(nil, nil, e.table, h, time.Time{}).Write(&message)
	return message.GetHistogram()
}
