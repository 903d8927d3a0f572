package main

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"sonde_exporter/test/harness"
)

// format is one way to ask for the metrics. Prometheus asks for gzip unless told
// not to.
type format struct {
	name, accept, encoding string
}

func formats() []format {
	return []format{
		{"protobuf", harness.Protobuf, "identity"},
		{"protobuf with gzip", harness.Protobuf, "gzip"},
		{"text", harness.Text, "identity"},
		{"text with gzip", harness.Text, "gzip"},
	}
}

// scrapeCost is one scrape, as its client and its process see it.
type scrapeCost struct {
	took, cpu time.Duration
	bytes     int64
}

// warm lets the exporter's heap grow to what every format needs.
func warm(s *stage, e *harness.Exporter) {
	for _, f := range formats() {
		_, err := scrapeOnce(e, f)
		s.must(err)
	}
}

// measureScrapes scrapes in every format, once in each round, and then counts
// what each allocates.
func measureScrapes(s *stage, p plan, rec *record, e *harness.Exporter, series int) {
	q := func(f format, measure, unit string) quantity {
		return quantity{part: partScrape, subject: fmt.Sprintf("%d series, %s", series, f.name), measure: measure, unit: unit}
	}
	for range p.rounds {
		for _, f := range formats() {
			s.must(s.Context().Err())
			cost, err := scrapeOnce(e, f)
			s.must(err)
			rec.add(q(f, "time", "ms"), with, 1e3*cost.took.Seconds())
			rec.add(q(f, "CPU of Sonde", "ms"), with, 1e3*cost.cpu.Seconds())
			rec.add(q(f, "size", "kB"), with, float64(cost.bytes)/1e3)
		}
	}
	for f, cost := range allocations(s, e) {
		rec.add(q(f, "allocations", "objects"), with, cost.objects)
		rec.add(q(f, "allocated", "kB"), with, cost.bytes/1e3)
	}
	if series == scrapeGoalSeries {
		for _, f := range formats() {
			if f.accept == harness.Protobuf {
				rec.aim(q(f, "time", "ms"), atMost(scrapeGoal))
			}
		}
	}
}

// scrapeOnce reads the metrics to their end without looking at them.
func scrapeOnce(e *harness.Exporter, f format) (cost scrapeCost, err error) {
	request, err := http.NewRequest(http.MethodGet, e.URL+"/metrics", http.NoBody)
	if err != nil {
		return cost, fmt.Errorf("cannot ask for the metrics: %w", err)
	}
	request.Header.Set("Accept", f.accept)
	// Set by hand, it keeps net/http from unpacking the answer.
	request.Header.Set("Accept-Encoding", f.encoding)
	before, err := cpuTime(e.PID)
	if err != nil {
		return cost, err
	}
	begin := time.Now()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return cost, fmt.Errorf("cannot scrape the exporter: %w", err)
	}
	defer answer.Body.Close()
	if cost.bytes, err = io.Copy(io.Discard, answer.Body); err != nil {
		return cost, fmt.Errorf("a scrape was cut off: %w", err)
	}
	cost.took = time.Since(begin)
	if answer.StatusCode != http.StatusOK {
		return cost, fmt.Errorf("a scrape was answered with %s", answer.Status)
	}
	after, err := cpuTime(e.PID)
	cost.cpu = after - before
	return cost, err
}

// heap is what the exporter's Go runtime says that it has allocated so far.
type heap struct{ objects, bytes float64 }

func heapOf(s *stage, e *harness.Exporter) heap {
	snap := e.Scrape(s)
	return heap{snap.Value("go_memstats_mallocs_total", nil), snap.Value("go_memstats_alloc_bytes_total", nil)}
}

func (h heap) minus(other heap) heap { return heap{h.objects - other.objects, h.bytes - other.bytes} }

// allocations are those of one scrape in each format. To ask for them is a scrape
// as well, whose own share is measured first and taken off.
func allocations(s *stage, e *harness.Exporter) map[format]heap {
	first := heapOf(s, e)
	last := heapOf(s, e)
	share := last.minus(first)
	costs := map[format]heap{}
	for _, f := range formats() {
		_, err := scrapeOnce(e, f)
		s.must(err)
		now := heapOf(s, e)
		costs[f] = now.minus(last).minus(share)
		last = now
	}
	return costs
}
