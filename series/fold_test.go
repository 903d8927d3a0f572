package series

import (
	"testing"

	"sonde_exporter/bpf"
	"sonde_exporter/probe"
)

func TestErrorType(t *testing.T) {
	const (
		none      = bpf.SondeFailureFAILURE_NONE
		truncated = bpf.SondeFailureFAILURE_TRUNCATED
	)
	cases := []struct {
		role    Role
		status  uint16
		failure bpf.SondeFailure
		want    string
	}{
		{Server, 200, none, ""},
		{Server, 404, none, ""}, // the client's mistake, not the server's
		{Server, 499, none, ""},
		{Server, 500, none, "500"},
		{Server, 999, none, "999"},
		{Client, 101, none, ""},
		{Client, 399, none, ""},
		{Client, 400, none, "400"},
		{Client, 503, none, "503"},
		{Server, 0, bpf.SondeFailureFAILURE_CLOSED, "connection_closed"},
		{Client, 0, bpf.SondeFailureFAILURE_RESET, "connection_reset"},
		{Client, 0, bpf.SondeFailureFAILURE_TIMEOUT, "timeout"},
		{Server, 200, truncated, "response_truncated"}, // a good beginning does not help
		{Server, 500, truncated, "response_truncated"},
		{Server, 0, bpf.SondeFailureFAILURE_OTHER, "_OTHER"},
		{Server, 502, bpf.SondeFailureFAILURES, "502"}, // of a kernel side that knows more
		{Server, 0, none, ""},
	}
	for _, c := range cases {
		if got := errorType(c.role, c.status, uint8(c.failure)); got != c.want {
			t.Errorf("errorType(%d, %d, %d) = %q, want %q", c.role, c.status, c.failure, got, c.want)
		}
	}
}

func TestEveryFailureHasItsOwnType(t *testing.T) {
	if len(failureTypes) != int(bpf.SondeFailureFAILURES) {
		t.Fatalf("%d types for %d failures", len(failureTypes), bpf.SondeFailureFAILURES)
	}
	seen := map[string]bool{}
	for failure, of := range failureTypes {
		if seen[of.Name] || (of.Name == "") != (failure == 0) || (of.Meaning == "") != (failure == 0) {
			t.Errorf("failure %d has error type %q, which is empty or taken, and means %q", failure, of.Name, of.Meaning)
		}
		seen[of.Name] = true
	}
}

func TestLabelsOf(t *testing.T) {
	operation := Operation{
		Instance: 7, Role: Client, ServerPort: 8080, ServerAddress: "api", Method: "POST", Route: "/users/{id}",
	}
	got := LabelsOf(operation, probe.SeriesKey{Operation: 3, Status: 404, Version: 0})
	want := Labels{
		Role: Client, ServerPort: 8080, ServerAddress: "api", Method: "POST", Route: "/users/{id}",
		Status: 404, ErrorType: "404", ProtocolVersion: "1.0", Scheme: "http",
	}
	if got != want {
		t.Errorf("LabelsOf = %+v, want %+v", got, want)
	}
}

// TestOtherLabels: what an overflow series holds is known only as good or bad.
func TestOtherLabels(t *testing.T) {
	good := OtherLabels(Server, probe.SeriesKey{Operation: probe.OtherOperation(1, 0)})
	bad := OtherLabels(Server, probe.SeriesKey{
		Operation: probe.OtherOperation(1, 0), Failure: uint8(bpf.SondeFailureFAILURE_OTHER),
	})
	if good.Route != OtherRoute || good.Method != OtherMethod || good.ErrorType != "" || good.Status != 0 {
		t.Errorf("labels of an overflow series: %+v", good)
	}
	if bad.ErrorType == "" {
		t.Errorf("labels of an overflow series of errors: %+v", bad)
	}
	bad.ErrorType = good.ErrorType
	if bad != good {
		t.Errorf("overflow series differ in more than the error: %+v and %+v", good, bad)
	}
}

func TestFoldSumsEqualLabels(t *testing.T) {
	table := newTestTable(t, conventionBounds())
	fold := Fold{}
	a, b := Labels{Method: "GET", Route: "/a"}, Labels{Method: "GET", Route: "/b"}
	var want Histogram
	for i, labels := range []Labels{a, b, a, a} {
		var h Histogram
		h.Observe(table, uint64(1e6*(i+1)))
		if labels == a {
			want.Add(&h)
		}
		fold.Add(labels, &h)
	}
	if len(fold) != 2 || *fold[a] != want || fold[b].Count() != 1 {
		t.Errorf("fold has %d series, %d observations of the first and %d of the second, want 2, 3 and 1",
			len(fold), fold[a].Count(), fold[b].Count())
	}
}
