package collector

import (
	"context"
	"errors"
	"testing"

	"sonde_exporter/discovery"
	"sonde_exporter/metric"
	"sonde_exporter/series"
)

// TestFoldIsWhatAScrapeShows: what goes out by OTLP is read by Fold.
func TestFoldIsWhatAScrapeShows(t *testing.T) {
	s, _ := newSources(t, map[uint32]string{1: "shop"})
	request(s, 1, series.Server, 200)
	request(s, 1, series.Client, 404)
	s.Archive.add(discovery.Service{Name: "shop"}, series.Labels{Role: series.Server, Method: "GET", Route: "/old"}, histogramOf(5))
	fold, err := s.Fold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	families := scrapeAll(t.Context(), t, s)
	for _, definition := range metric.All() {
		counted := 0
		for labels, histogram := range definition.Series(fold) {
			counted++
			shown := valueOf(t, families[definition.PrometheusName()], "http_route", labels.Route)
			if float64(histogram.Count()) != shown || labels.ServiceName != "shop" {
				t.Errorf("%s: %d of %+v, and the scrape shows %v", definition.Name, histogram.Count(), labels, shown)
			}
		}
		if want := len(families[definition.PrometheusName()].GetMetric()); counted != want || want == 0 {
			t.Errorf("%s has %d series, and the scrape shows %d", definition.Name, counted, want)
		}
	}
}

func TestFoldThatIsOutOfTime(t *testing.T) {
	s, _ := newSources(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Fold(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v of a reading that nobody waits for, want that it was canceled", err)
	}
}
