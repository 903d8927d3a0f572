package web

import (
	"bytes"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadProtection(t *testing.T) {
	for content, want := range map[string]protection{
		"":                                    {},
		"http_server_config: {http2: true}\n": {},
		"tls_server_config: {min_version: TLS13}\n":                                              {},
		"tls_server_config: {cert_file: a, key_file: b}\n":                                       {hasTLS: true},
		"basic_auth_users: {a: hash}\n":                                                          {hasUsers: true},
		"tls_server_config: {cert: inline, key: inline}\nbasic_auth_users: {a: hash, b: hash}\n": {hasTLS: true, hasUsers: true},
	} {
		file := filepath.Join(t.TempDir(), "web.yml")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := readProtection(flagsFor(file)); got != want {
			t.Errorf("%q: %+v, want %+v", content, got, want)
		}
	}
	if got := readProtection(flagsFor("")); got != (protection{}) {
		t.Errorf("without a file: %+v", got)
	}
}

// TestListensIsTold: the real address is told when it accepts connections, and
// the toolkit's own lines are for debugging.
func TestListensIsTold(t *testing.T) {
	log := &bytes.Buffer{}
	address, told := freeAddress(t), make(chan Site, 1)
	logger := slog.New(slog.NewTextHandler(log, nil))
	ctx, end := t.Context(), make(chan error, 1)
	go func() {
		end <- Serve(ctx, http.NotFoundHandler(), flagsFor("", address), func(site Site) { told <- site }, logger)
	}()
	select {
	case site := <-told:
		if want := (Site{URL: "http://" + address}); site != want {
			t.Errorf("told is %+v, want %+v", site, want)
		}
		response, err := http.Get(site.URL)
		if err != nil {
			t.Fatalf("nothing answers there: %v", err)
		}
		response.Body.Close()
	case err := <-end:
		t.Fatalf("Serve ended: %v", err)
	}
	if log.Len() != 0 {
		t.Errorf("the toolkit logs at level info: %s", log)
	}
}

func TestQuiet(t *testing.T) {
	log := &bytes.Buffer{}
	logger := quiet(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))).With("a", 1).WithGroup("g")
	logger.Info("one")
	logger.Error("two")
	if text := log.String(); !strings.Contains(text, "level=DEBUG msg=one a=1") || !strings.Contains(text, "level=ERROR msg=two") {
		t.Errorf("the log says %q", text)
	}
}

func TestCheck(t *testing.T) {
	if err := Check(flagsFor("", freeAddress(t)), "/metrics"); err != nil {
		t.Errorf("a good configuration: %v", err)
	}
	checkSentence(t, Check(flagsFor("", freeAddress(t)), "metrics"), "telemetry path")
	checkSentence(t, Check(flagsFor("/nonexistent.yml", freeAddress(t)), "/metrics"), "/nonexistent.yml", "--web.config.file")
	checkSentence(t, Check(flagsFor("", "192.0.2.1:1"), "/metrics"), "this host does not have this address", "--web.listen-address")
	checkSentence(t, Check(flagsFor(""), "/metrics"), "no address")
}
