package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// runReport feeds lines to a report and returns what it prints and its verdict.
func runReport(t *testing.T, input string) (output string, ok bool) {
	t.Helper()
	var b strings.Builder
	r := newReport(&b)
	if err := r.read(strings.NewReader(input)); err != nil {
		t.Fatal(err)
	}
	ok = r.finish()
	return b.String(), ok
}

// lastLine returns the closing line.
func lastLine(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return lines[len(lines)-1]
}

// goTest runs the real go test -json over a small module made of files.
func goTest(t *testing.T, files map[string]string) string {
	t.Helper()
	directory := t.TempDir()
	files["go.mod"] = "module sample\n\ngo 1.26\n"
	for name, content := range files {
		path := filepath.Join(directory, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), "go", "test", "-json", "./...")
	command.Dir = directory
	command.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	output, err := command.CombinedOutput()
	if len(output) == 0 {
		t.Fatalf("go test printed nothing: %v", err)
	}
	return string(output)
}

func TestRealGoTest(t *testing.T) {
	const header = "import (\n\t\"os\"\n\t\"testing\"\n)\n\nvar _ = os.Args\n\n"
	tests := map[string]struct {
		file    string
		closing string
		ok      bool
		want    []string
	}{
		"passes": {
			"func TestA(t *testing.T) {}\nfunc TestB(t *testing.T) {}\n",
			"2 passed, 0 failed, 0 skipped", true, []string{"ok      sample/p ("},
		},
		"subtests count, their parent does not": {
			"func TestA(t *testing.T) { t.Run(`x`, func(t *testing.T) {}); t.Run(`y`, func(t *testing.T) { t.Run(`z`, func(t *testing.T) {}) }) }\n",
			"2 passed, 0 failed, 0 skipped", true, nil,
		},
		"names with slashes": {
			"func TestA(t *testing.T) { t.Run(`/a/b`, func(t *testing.T) {}); t.Run(`/`, func(t *testing.T) { t.Fatal(`no`) }) }\n",
			"1 passed, 1 failed, 0 skipped", false, []string{"--- TestA//\n"},
		},
		"fails": {
			"func TestA(t *testing.T) {}\nfunc TestB(t *testing.T) { t.Log(`one`); t.Error(`two is not three`) }\n",
			"1 passed, 1 failed, 0 skipped", false, []string{"FAIL    sample/p (", "--- TestB\n", "one\n", "two is not three\n"},
		},
		"a failed subtest counts once": {
			"func TestA(t *testing.T) { t.Run(`good`, func(t *testing.T) {}); t.Run(`bad`, func(t *testing.T) { t.Fatal(`no`) }) }\n",
			"1 passed, 1 failed, 0 skipped", false, []string{"--- TestA/bad\n"},
		},
		"a parent's own failure counts": {
			"func TestA(t *testing.T) { t.Run(`good`, func(t *testing.T) {}); t.Error(`mine`) }\n",
			"1 passed, 1 failed, 0 skipped", false, []string{"--- TestA\n", "mine\n"},
		},
		"skips": {
			"func TestA(t *testing.T) {}\nfunc TestB(t *testing.T) { t.Log(`before`); t.Skip(\"no BTF:\\nsee the log\") }\nfunc TestC(t *testing.T) { t.SkipNow() }\n",
			"1 passed, 0 failed, 2 skipped", true,
			[]string{"\nskipped: TestB: no BTF: see the log\n", "\nskipped: TestC: no reason given\n"},
		},
		"panics": {
			"func TestA(t *testing.T) {}\nfunc TestB(t *testing.T) { panic(`out of cheese`) }\nfunc TestC(t *testing.T) {}\n",
			"1 passed, 1 failed, 0 skipped", false, []string{"--- TestB\n", "panic: out of cheese", "goroutine "},
		},
		"exits": {
			"func TestA(t *testing.T) { os.Exit(3) }\n",
			"0 passed, 1 failed, 0 skipped", false, []string{"--- TestA\n", "did not finish"},
		},
		"TestMain fails": {
			"func TestA(t *testing.T) {}\nfunc TestMain(m *testing.M) { println(`no root`); m.Run(); os.Exit(1) }\n",
			"1 passed, 1 failed, 0 skipped", false, []string{"no root"},
		},
		"does not build": {
			"func TestA(t *testing.T) { var unused int }\n",
			"0 passed, 1 failed, 0 skipped", false, []string{"FAIL    sample/p (", "declared and not used: unused"},
		},
		"does not parse": {
			"func TestA(\n",
			"0 passed, 1 failed, 0 skipped", false, []string{"FAIL    sample/p", "p_test.go"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			events := goTest(t, map[string]string{"p/p_test.go": "package p\n\n" + header + test.file})
			output, ok := runReport(t, events)
			if got := lastLine(output); got != test.closing || ok != test.ok {
				t.Errorf("closing line %q, ok %v; want %q, %v\n%s", got, ok, test.closing, test.ok, output)
			}
			for _, want := range test.want {
				if !strings.Contains(output, want) {
					t.Errorf("the report lacks %q:\n%s", want, output)
				}
			}
		})
	}
}

func TestBuildFailureOfADependency(t *testing.T) {
	events := goTest(t, map[string]string{
		"dep/dep.go":  "package dep\n\nfunc F() int { return missing }\n",
		"p/p.go":      "package p\n\nimport \"sample/dep\"\n\nvar X = dep.F()\n",
		"p/p_test.go": "package p\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {}\n",
	})
	output, ok := runReport(t, events)
	if ok || !strings.Contains(output, "undefined: missing") {
		t.Errorf("ok %v, want a failure that names the undefined name:\n%s", ok, output)
	}
}

func TestCommandThatFailsWithoutEvents(t *testing.T) {
	const good = `{"Action":"pass","Package":"p","Test":"TestA"}` + "\n" + `{"Action":"pass","Package":"p"}` + "\n"
	const bad = `{"Action":"fail","Package":"q","Test":"TestB"}` + "\n" + `{"Action":"fail","Package":"q"}` + "\n"
	const exit = `{"Action":"exit","Package":"test","Output":"go test ended with status 1"}` + "\n"
	tests := map[string]struct {
		input   string
		closing string
	}{
		"nothing but the status":      {good + "go: errors parsing go.mod\n" + exit, "1 passed, 1 failed, 0 skipped"},
		"a failure explains it":       {good + bad + exit, "1 passed, 1 failed, 0 skipped"},
		"an earlier failure does not": {bad + exit + good + exit, "1 passed, 2 failed, 0 skipped"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			output, ok := runReport(t, test.input)
			if got := lastLine(output); got != test.closing || ok {
				t.Errorf("closing line %q, ok %v; want %q, false\n%s", got, ok, test.closing, output)
			}
		})
	}
}

func TestInputThatIsCutOff(t *testing.T) {
	output, ok := runReport(t, `{"Action":"run","Package":"p","Test":"TestA"}`+"\n"+`{"Action":"outp`)
	if got := lastLine(output); got != "0 passed, 1 failed, 0 skipped" || ok {
		t.Errorf("closing line %q, ok %v:\n%s", got, ok, output)
	}
}

func TestNothingWasTested(t *testing.T) {
	if output, ok := runReport(t, ""); ok {
		t.Errorf("an empty run is a success:\n%s", output)
	}
}

func TestSlowTestsAreShown(t *testing.T) {
	output, _ := runReport(t, `{"Action":"pass","Package":"p","Test":"TestSlow","Elapsed":12.34}`+"\n"+
		`{"Action":"pass","Package":"p","Test":"TestFast","Elapsed":0.1}`+"\n"+
		`{"Action":"pass","Package":"p","Elapsed":12.5}`+"\n")
	if !strings.Contains(output, "pass TestSlow (12.3s)") || strings.Contains(output, "TestFast") {
		t.Errorf("want a line for the slow test only:\n%s", output)
	}
	if !strings.Contains(output, "ok      p (12.5s, 2 tests)\n") {
		t.Errorf("no line for the package:\n%s", output)
	}
}

func TestOutputIsLimited(t *testing.T) {
	var kept tail
	for range 5 * maxOutput / 10 {
		kept.add("123456789\n")
	}
	kept.add("the end")
	if size := len(kept.String()); size > 2*maxOutput+10 || !strings.HasSuffix(kept.String(), "the end") {
		t.Errorf("%d bytes are kept, and they end with %q", size, kept.String()[size-10:])
	}
}
