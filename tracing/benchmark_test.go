package tracing

import (
	"testing"

	"sonde_exporter/probe"
)

func BenchmarkBuild(b *testing.B) {
	spans := make([]probe.Span, 512)
	for i := range spans {
		spans[i] = served(plainHead)
		spans[i].ReadNs = 2000
	}
	builder := newBuilder(options())
	b.ReportAllocs()
	for b.Loop() {
		if batch := builder.build(spans); batch.requests != 512 {
			b.Fatal("spans are missing")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(spans)), "ns/span")
}
