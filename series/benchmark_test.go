package series

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// BenchmarkWrite builds the messages of one scrape. The durations of each
// series spread over two orders of magnitude, as those of one route do.
func BenchmarkWrite(b *testing.B) {
	for _, count := range []int{1, 10_000} {
		b.Run(fmt.Sprintf("series=%d", count), func(b *testing.B) {
			table := newTestTable(b, conventionBounds())
			histograms := make([]Histogram, count)
			random := rand.New(rand.NewPCG(1, 2))
			for i := range histograms {
				for range 200 {
					histograms[i].Observe(table, uint64(1e6*(1+100*random.ExpFloat64())))
				}
			}
			desc, labels, created := testDesc(), testLabels(), time.Now()
			b.ReportAllocs()
			for b.Loop() {
				for i := range histograms {
					var metric prometheus.Metric = NewMetric(desc, labels, table, &histograms[i], created)
					var message dto.Metric
					if err := metric.Write(&message); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/series")
		})
	}
}

func BenchmarkSlot(b *testing.B) {
	table := newTestTable(b, conventionBounds())
	for ns := uint64(0); b.Loop(); ns += 1009 {
		table.Slot(ns)
	}
}
