package metric

import (
	"maps"
	"slices"
	"testing"

	"sonde_exporter/series"
)

// TestPrometheusNames holds what dashboards and alerts are written against.
func TestPrometheusNames(t *testing.T) {
	shared := []string{
		"error_type", "http_request_method", "http_response_status_code", "http_route", "network_protocol_version",
		"server_port", "service_name", "service_namespace", "url_scheme",
	}
	tests := []struct {
		definition Definition
		name       string
		labels     []string
	}{
		{HTTPServer(), "http_server_request_duration_seconds", shared},
		{HTTPClient(), "http_client_request_duration_seconds", append(shared, "server_address")},
	}
	for _, test := range tests {
		if got := test.definition.PrometheusName(); got != test.name {
			t.Errorf("%s is called %s in Prometheus, want %s", test.definition.Name, got, test.name)
		}
		got := slices.Sorted(slices.Values(test.definition.LabelNames()))
		if want := slices.Sorted(slices.Values(test.labels)); !slices.Equal(got, want) {
			t.Errorf("%s has labels %v, want %v", test.definition.Name, got, want)
		}
	}
	if len(All()) != len(tests) {
		t.Errorf("there are %d metrics, of which %d have a test", len(All()), len(tests))
	}
}

func TestUnitWithoutSuffix(t *testing.T) {
	if got := (Definition{Name: "system.load", Unit: "1"}).PrometheusName(); got != "system_load" {
		t.Errorf("a metric without unit is called %s, want system_load", got)
	}
}

func TestLabelValues(t *testing.T) {
	labels := series.Labels{
		ServiceName: "shop", ServiceNamespace: "eu", Role: series.Client, ServerPort: 8080, ServerAddress: "api",
		Method: "GET", Route: "/users/{id}", Status: 503, ErrorType: "503", ProtocolVersion: "1.1", Scheme: "http",
	}
	want := map[string]string{
		"service_name": "shop", "service_namespace": "eu", "server_port": "8080", "server_address": "api",
		"http_request_method": "GET", "http_route": "/users/{id}", "http_response_status_code": "503",
		"url_scheme": "http", "network_protocol_version": "1.1", "error_type": "503",
	}
	if got := valuesByName(HTTPClient(), labels); !maps.Equal(got, want) {
		t.Errorf("values of a client's series: %v, want %v", got, want)
	}
	delete(want, "server_address")
	if got := valuesByName(HTTPServer(), labels); !maps.Equal(got, want) {
		t.Errorf("values of a server's series: %v, want %v", got, want)
	}
	for name, value := range valuesByName(HTTPClient(), series.Labels{}) {
		if value != "" {
			t.Errorf("%s is %q where nothing is known, want nothing", name, value)
		}
	}
}

func valuesByName(d Definition, labels series.Labels) map[string]string {
	byName := map[string]string{}
	values := d.LabelValues(labels)
	for i, name := range d.LabelNames() {
		byName[name] = values[i]
	}
	return byName
}

// TestTypesFollowTheConventions: the conventions list these two as int.
func TestTypesFollowTheConventions(t *testing.T) {
	integers := map[string]int64{"server.port": 8080, "http.response.status_code": 404}
	labels := series.Labels{ServerPort: 8080, Status: 404}
	for _, definition := range All() {
		for _, attribute := range definition.Attributes {
			got, isNumber := attribute.Number(labels)
			want, isInteger := integers[attribute.Name]
			if isNumber != isInteger || got != want {
				t.Errorf("%s of %s is %d, number %t; want %d, %t", attribute.Name, definition.Name, got, isNumber, want, isInteger)
			}
		}
	}
}

func TestSeriesOfAMetric(t *testing.T) {
	one := func() *series.Histogram { return &series.Histogram{Slots: [series.MaxSlots]uint64{1}} }
	served, called := series.Labels{Role: series.Server, Route: "/"}, series.Labels{Role: series.Client, Route: "/"}
	empty := series.Labels{Role: series.Server, Route: series.OtherRoute}
	fold := series.Fold{served: one(), called: one(), empty: {}}
	for labels, definition := range map[series.Labels]Definition{served: HTTPServer(), called: HTTPClient()} {
		got := maps.Collect(definition.Series(fold))
		if len(got) != 1 || got[labels] != fold[labels] {
			t.Errorf("%s has the series %v, want %+v alone", definition.Name, got, labels)
		}
	}
	for range HTTPServer().Series(series.Fold{served: one(), {Role: series.Server}: one()}) {
		break // must not go on with the second
	}
}
