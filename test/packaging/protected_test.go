package packaging

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// TestProbesWithoutPassword: with the component web-config no probe asks for a path,
// and but for that they are those of the base.
func TestProbesWithoutPassword(t *testing.T) {
	plain := kustomize(t).daemonSet.Spec.Template.Spec.Containers[0]
	spec := kustomize(t, "web-config").daemonSet.Spec.Template.Spec
	sonde := spec.Containers[0]
	for name, probes := range map[string][2]*core.Probe{
		"startup":   {plain.StartupProbe, sonde.StartupProbe},
		"liveness":  {plain.LivenessProbe, sonde.LivenessProbe},
		"readiness": {plain.ReadinessProbe, sonde.ReadinessProbe},
	} {
		was, is := probes[0].DeepCopy(), probes[1]
		was.HTTPGet, was.TCPSocket = nil, &core.TCPSocketAction{Port: was.HTTPGet.Port}
		if want, got := was.String(), is.String(); got != want {
			t.Errorf("the %s probe is\n%s\nwant\n%s", name, got, want)
		}
	}
	for _, volume := range spec.Volumes {
		if volume.Secret != nil && *volume.Secret.DefaultMode != 0o400 {
			t.Errorf("files of the Secret have the mode %#o, want 0400", *volume.Secret.DefaultMode)
		}
	}
}

// TestSecretOfDocumentation: with what docs/installing.md shows the pods mount the
// Secret that is made, whatever kustomize calls it.
func TestSecretOfDocumentation(t *testing.T) {
	text := release(t).source(t, "docs/installing.md")
	shown := regexp.MustCompile("(?s)```yaml\n(resources: [^`]*secretGenerator:.*?)```").FindStringSubmatch(text)
	if len(shown) == 0 {
		t.Fatal("docs/installing.md shows no secretGenerator")
	}
	c := decodeOverlay(t, map[string]string{
		"kustomization.yaml": shown[1], "web-config.yml": "{}", "server.crt": "a certificate", "server.key": "a key",
	})
	var mounted []string
	for _, volume := range c.daemonSet.Spec.Template.Spec.Volumes {
		if volume.Secret != nil {
			mounted = append(mounted, volume.Secret.SecretName)
		}
	}
	if want := []string{c.secret.Name}; c.secret.Name == "" || !slices.Equal(mounted, want) {
		t.Errorf("the pods mount the Secrets %q, want %q", mounted, want)
	}
	if len(c.secret.Data) != 3 {
		t.Errorf("the Secret has %d files, want 3", len(c.secret.Data))
	}
}

// TestProtectedPod runs the pod with the Secret that docs/installing.md describes: the
// probes reach it and fill no log, and who has no password gets nothing.
func TestProtectedPod(t *testing.T) {
	var keys harness.KeyPair
	c := pod(t, func(dir string) {
		keys = harness.Certificate(t, dir)
		writeWebConfig(t, dir, keys)
	}, "web-config")
	port := servers.FreePort(t)
	process := servers.Start(t, "the container", port, c.command(t, port))
	dial := dialIn(process.PID)
	for range 3 { // what the kubelet does
		conn, err := dial(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatalf("a probe fails: %v", err)
		}
		conn.Close()
	}
	client := http.Client{Transport: &http.Transport{DialContext: dial, TLSClientConfig: keys.Trust}, Timeout: waitTimeout}
	defer client.CloseIdleConnections()
	for password, want := range map[string]int{"": http.StatusUnauthorized, "guess": http.StatusUnauthorized, examplePassword: http.StatusOK} {
		if got := statusWith(t.Context(), t, &client, fmt.Sprintf("https://127.0.0.1:%d/-/healthy", port), password); got != want {
			t.Errorf("with the password %q it answers %d, want %d", password, got, want)
		}
	}
	if said := process.Output(); strings.Contains(said, "level=WARN") || !strings.Contains(said, "basic_auth=true") {
		t.Errorf("want a log without warnings that tells of the password:\n%s", said)
	}
}

// exampleUser and examplePassword are documented in web-config.yml.
const exampleUser, examplePassword = "prometheus", "change-me-please"

// writeWebConfig writes the repository's example, with the files of a key pair.
func writeWebConfig(t testing.TB, dir string, keys harness.KeyPair) {
	t.Helper()
	text := release(t).source(t, "web-config.yml")
	for old, file := range map[string]string{"certs/server.crt": keys.Cert, "certs/server.key": keys.Key} {
		text = strings.Replace(text, old, filepath.Base(file), 1)
	}
	if err := os.WriteFile(filepath.Join(dir, "web-config.yml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func statusWith(ctx context.Context, t testing.TB, client *http.Client, url, password string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if password != "" {
		request.SetBasicAuth(exampleUser, password)
	}
	resp, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
