package web

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// flagsFor returns what the command line would give for these addresses.
func flagsFor(webConfig string, addresses ...string) *toolkit.FlagConfig {
	noSocket := false
	return &toolkit.FlagConfig{
		WebListenAddresses: &addresses,
		WebSystemdSocket:   &noSocket,
		WebConfigFile:      &webConfig,
	}
}

// freeAddress returns a loopback address that nothing listened on a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// serve runs Serve until the test ends or stop is called; result gives its error.
func serve(t *testing.T, handler http.Handler, flags *toolkit.FlagConfig) (stop context.CancelFunc, result <-chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ended <- Serve(ctx, handler, flags, func(Site) {}, discardLogger())
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	for _, address := range *flags.WebListenAddresses {
		waitForListener(t, address)
	}
	return cancel, ended
}

func waitForListener(t *testing.T, address string) {
	t.Helper()
	for range 200 {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("nothing listens on %s", address)
}

// waitForEnd waits for the end of Serve.
func waitForEnd(t *testing.T, result <-chan error, limit time.Duration) error {
	t.Helper()
	select {
	case err := <-result:
		return err
	case <-time.After(limit):
		t.Fatalf("Serve did not end within %v", limit)
		return nil
	}
}

func TestServeOnSeveralAddresses(t *testing.T) {
	handler, err := NewHandler(Options{Gather: gatherCounter(t)})
	if err != nil {
		t.Fatal(err)
	}
	flags := flagsFor("", freeAddress(t), freeAddress(t))
	stop, result := serve(t, handler, flags)
	for _, address := range *flags.WebListenAddresses {
		response, body := fetch(t, http.DefaultClient, http.MethodGet, "http://"+address+"/-/healthy", nil)
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %q", address, response.StatusCode, body)
		}
	}
	stop()
	if err := waitForEnd(t, result, 3*time.Second); err != nil {
		t.Errorf("a wanted end is an error: %v", err)
	}
}

func TestShutdownLetsAScrapeFinish(t *testing.T) {
	started := make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(started)
		time.Sleep(300 * time.Millisecond)
		_, _ = io.WriteString(w, "complete")
	})
	flags := flagsFor("", freeAddress(t))
	stop, result := serve(t, handler, flags)
	go func() {
		<-started
		stop()
	}()
	_, body := fetch(t, http.DefaultClient, http.MethodGet, "http://"+(*flags.WebListenAddresses)[0], nil)
	if body != "complete" {
		t.Errorf("body %q, want the complete one", body)
	}
	if err := waitForEnd(t, result, 3*time.Second); err != nil {
		t.Error(err)
	}
}

func TestShutdownDoesNotWaitForever(t *testing.T) {
	started := make(chan struct{})
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
	})
	flags := flagsFor("", freeAddress(t))
	stop, result := serve(t, handler, flags)
	go func() {
		response, err := http.Get("http://" + (*flags.WebListenAddresses)[0])
		if err == nil {
			response.Body.Close()
		}
	}()
	<-started
	begin := time.Now()
	stop()
	if err := waitForEnd(t, result, 4*time.Second); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took < shutdownTimeout {
		t.Errorf("the request was cut off after %v, want %v of grace", took, shutdownTimeout)
	}
}

func TestContextThatEndedBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	begin := time.Now()
	if err := Serve(ctx, http.NotFoundHandler(), flagsFor("", freeAddress(t)), func(Site) {}, discardLogger()); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > shutdownTimeout {
		t.Errorf("Serve took %v to see that it was not wanted", took)
	}
}

func TestAddressInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	address := listener.Addr().String()
	// The first address is good: its server must end with the other's failure.
	err = Serve(t.Context(), http.NotFoundHandler(), flagsFor("", freeAddress(t), address), func(Site) {}, discardLogger())
	checkSentence(t, err, address, "another program uses this address", "--web.listen-address")
}

func TestBadAddresses(t *testing.T) {
	for _, address := range []string{"localhost", "127.0.0.1:70000", "192.0.2.1:0", "::1:19100"} {
		t.Run(address, func(t *testing.T) {
			err := Serve(t.Context(), http.NotFoundHandler(), flagsFor("", address), func(Site) {}, discardLogger())
			checkSentence(t, err, `"`+address+`"`, "cannot listen on", "--web.listen-address")
		})
	}
}

func TestNoAddress(t *testing.T) {
	err := Serve(t.Context(), http.NotFoundHandler(), flagsFor(""), func(Site) {}, discardLogger())
	checkSentence(t, err, "--web.listen-address", "--web.systemd-socket")
}

func TestBadWebConfig(t *testing.T) {
	tests := map[string]struct {
		content string
		want    string
	}{
		"unknown key":         {"tls_server_confg: {}\n", "tls_server_confg"},
		"not YAML":            {"tls_server_config: [\n", "yaml"},
		"missing certificate": {"tls_server_config: {cert_file: none.crt, key_file: none.key}\n", "none.crt"},
		"plain password":      {"basic_auth_users: {prometheus: secret}\n", "hash"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "web-config.yml")
			if err := os.WriteFile(file, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			err := Serve(t.Context(), http.NotFoundHandler(), flagsFor(file, freeAddress(t)), func(Site) {}, discardLogger())
			checkSentence(t, err, file, test.want, "--web.config.file")
		})
	}
	t.Run("no such file", func(t *testing.T) {
		err := Serve(t.Context(), http.NotFoundHandler(), flagsFor("/nonexistent/web.yml", freeAddress(t)), func(Site) {}, discardLogger())
		checkSentence(t, err, "/nonexistent/web.yml", "no such file", "--web.config.file")
	})
}

// checkSentence wants an error on one line that says all of these things.
func checkSentence(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("the error has more than one line: %q", err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error lacks %q: %v", part, err)
		}
	}
}
