package harness

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// The media types that Prometheus asks for.
const (
	// Protobuf is the only one that carries native histograms.
	Protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
	// Text is the classic text format.
	Text = "text/plain;version=0.0.4"
	// OpenMetrics is the text format of the OpenMetrics standard.
	OpenMetrics = "application/openmetrics-text;version=1.0.0"
)

// Snapshot is one scrape: its metric families by name.
type Snapshot map[string]*dto.MetricFamily

// Scrape fetches /metrics in protobuf and checks every histogram of requests.
func (e *Exporter) Scrape(t testing.TB) Snapshot {
	t.Helper()
	resp := e.Fetch(t, Protobuf)
	defer resp.Body.Close()
	snap, err := decode(resp.Body, expfmt.ResponseFormat(resp.Header))
	if err != nil {
		t.Fatalf("cannot read the exporter's metrics: %v", err)
	}
	if err := snap.checkHistograms(); err != nil {
		t.Fatal(err)
	}
	return snap
}

// Fetch asks for /metrics in the given media type; the caller closes the body.
func (e *Exporter) Fetch(t testing.TB, accept string) *http.Response {
	t.Helper()
	resp, err := e.do(http.MethodGet, "/metrics", accept)
	if err != nil {
		t.Fatalf("cannot scrape the exporter: %v\nit said:\n%s", err, e.Log())
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		t.Fatalf("a scrape was answered with %s:\n%s", resp.Status, readAll(t, resp.Body))
	}
	return resp
}

// ScrapeText fetches /metrics in the classic text format.
func (e *Exporter) ScrapeText(t testing.TB) Snapshot {
	t.Helper()
	resp := e.Fetch(t, Text)
	defer resp.Body.Close()
	return ParseText(t, readAll(t, resp.Body))
}

// ParseText reads the classic text format.
func ParseText(t testing.TB, text string) Snapshot {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("cannot read the exporter's text format: %v", err)
	}
	return families
}

func decode(body io.Reader, format expfmt.Format) (Snapshot, error) {
	snap := Snapshot{}
	decoder := expfmt.NewDecoder(body, format)
	for {
		var family dto.MetricFamily
		if err := decoder.Decode(&family); errors.Is(err, io.EOF) {
			return snap, nil
		} else if err != nil {
			return nil, err
		}
		if snap[family.GetName()] != nil {
			return nil, fmt.Errorf("%s appears twice", family.GetName())
		}
		snap[family.GetName()] = &family
	}
}
