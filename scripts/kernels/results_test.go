package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"sonde_exporter/scripts/kernels/guest"
)

// printed is what a test binary prints with -test.v=test2json.
const printed = "\x16=== RUN   TestGood\n    a_test.go:1: verified wire_ingress 12345\n    a_test.go:2: verified socket_read 77\n\x16--- PASS: TestGood (0.10s)\n" +
	"\x16=== RUN   TestOld\n    a_test.go:8: missing kernel feature: tcx\n\x16--- SKIP: TestOld (0.00s)\n" +
	"\x16=== RUN   TestLazy\n    a_test.go:9: no time\n\x16--- SKIP: TestLazy (0.00s)\n" +
	"\x16=== RUN   TestParts\n\x16=== RUN   TestParts/one\n\x16=== RUN   TestParts/two\n    a_test.go:5: missing kernel feature: MPTCP\n" +
	"\x16--- PASS: TestParts (0.30s)\n    \x16--- PASS: TestParts/one (0.20s)\n    \x16--- SKIP: TestParts/two (0.10s)\n" +
	"\x16=== RUN   TestHangs\nhalf a line"

const goodRun = "\x16=== RUN   TestGood\n\x16--- PASS: TestGood (0.10s)\n\x16PASS\n"

func parsed(t *testing.T, text string) *results {
	t.Helper()
	r, err := convert(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestConvert(t *testing.T) {
	r := parsed(t, printed)
	want := map[string]outcome{
		"TestGood": passed, "TestOld": skipped, "TestLazy": failed, "TestParts": passed,
		"TestParts/one": passed, "TestParts/two": skipped, "TestHangs": failed,
	}
	if len(r.tests) != len(want) {
		t.Errorf("%d tests, want %d", len(r.tests), len(want))
	}
	for _, test := range r.tests {
		if test.outcome != want[test.name] {
			t.Errorf("%s: %q, want %q", test.name, test.outcome, want[test.name])
		}
	}
	if r.verified["wire_ingress"] != 12345 || r.verified["socket_read"] != 77 || len(r.verified) != 2 {
		t.Errorf("verified: %v", r.verified)
	}
}

func TestParseEventsRefusesWhatIsNone(t *testing.T) {
	if _, err := parseEvents(strings.NewReader("--- PASS: TestA\n")); err == nil {
		t.Error("no error")
	}
}

func TestCutMarker(t *testing.T) {
	tests := map[string]struct {
		output string
		before string
		status int
		found  bool
	}{
		"passed":       {"PASS\n\n" + guest.EndMarker + "0\n", "PASS\n", 0, true},
		"failed":       {"FAIL\n\n" + guest.EndMarker + "1\n", "FAIL\n", 1, true},
		"no line feed": {"half\n" + guest.EndMarker + "137\n", "half", 137, true},
		"crashed":      {"=== RUN   TestA\n", "=== RUN   TestA\n", 0, false},
		"cut off":      {"PASS\n" + guest.EndMarker, "PASS", 0, false},
		"nothing":      {"", "", 0, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			before, status, found := cutMarker(test.output)
			if before != test.before || status != test.status || found != test.found {
				t.Errorf("got %q, %d, %v", before, status, found)
			}
		})
	}
}

func TestReport(t *testing.T) {
	crashed := &machineError{errors.New("killed"), "Kernel panic - not syncing"}
	runs := []*run{
		{target: target{"6.1", "amd64"}, version: "6.1.192", results: parsed(t, printed), elapsed: 61 * time.Second},
		{target: target{"6.12", "arm64"}, version: "6.12.117", results: parsed(t, goodRun), err: crashed},
	}
	var out bytes.Buffer
	r := &report{out: &out, runs: runs}
	r.failures()
	r.table()
	for _, want := range []string{
		"kernel     6.1-amd64                6.12-arm64\n", "TestGood   passed 0.1 s             passed 0.1 s\n", "TestOld    skipped                  -\n",
		"TestLazy   FAILED ", "TestParts  passed 0.3 s, 1 skipped  -\n", "TestHangs  FAILED ", "time       61 s ",
		"skipped on 6.1-amd64: TestParts/two: missing kernel feature: MPTCP\n", "--- TestHangs on 6.1-amd64\n",
		"--- console of 6.12-arm64\n    Kernel panic - not syncing\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, out.String())
		}
	}
	if err := verdict(runs); err == nil || err.Error() != "2 of 2 kernels failed" {
		t.Errorf("verdict: %v", err)
	}
}

func TestVerdict(t *testing.T) {
	good := &run{results: parsed(t, goodRun)}
	empty := &run{results: parsed(t, "")}
	if err := verdict([]*run{good}); err != nil {
		t.Errorf("all is well: %v", err)
	}
	if err := verdict([]*run{good, empty}); err == nil {
		t.Error("a kernel on which nothing ran passes")
	}
}
