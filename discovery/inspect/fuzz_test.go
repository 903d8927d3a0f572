package inspect

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func checkName(t *testing.T, name string) {
	t.Helper()
	if len(name) > MaxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		t.Errorf("name %q is not fit for a label", name)
	}
	if again := Sanitize(name); again != name {
		t.Errorf("Sanitize(%q) = %q, but it was sanitized", name, again)
	}
}

func FuzzSanitize(f *testing.F) {
	for _, seed := range []string{"", "shop", "a\xff\xfe", strings.Repeat("書", 50), "\u202ex ", strings.Repeat(" a", 100)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { checkName(t, Sanitize(text)) })
}

func FuzzCgroups(f *testing.F) {
	f.Add("0::/system.slice/docker-" + idA + ".scope/system.slice/a\\x2db.service\n1:name=systemd:/x\n")
	f.Add("9:x:/ecs/0f1e2d3c4b5a69788796a5b4c3d2e1f0-1234567890 (deleted)\n0::/")
	f.Add(":::\x00\xff\n0::\\x.service\n0::/user@0.service/app.slice/_\\xzz\\x2.scope")
	f.Fuzz(func(t *testing.T, text string) {
		cgroups := parseCgroups(text)
		if len(cgroups) > maxCgroups || slices.Contains(cgroups, "") {
			t.Errorf("cgroups %q", cgroups)
		}
		// The id becomes part of paths on the host.
		if id := containerIDOf(cgroups); strings.Trim(id, "0123456789abcdef-") != "" || len(id) > 64 {
			t.Errorf("container id %q", id)
		}
		checkName(t, unitOf(cgroups).name)
	})
}

func FuzzCommandLine(f *testing.F) {
	programs := []string{
		"python3.11", "uwsgi", "node", "deno", "bun", "java", "ruby", "php", "php-fpm8.2", "dotnet", "perl", "beam.smp", "nginx", "",
	}
	for i, line := range []string{
		"python3\x00-m\x00http.server\x00", "uwsgi\x00--ini\x00", "node\x00-r\x00x\x00--\x00index.js\x00", "deno\x00run\x00", "bun\x00run\x00x\x00",
		"java\x00-jar\x00a-1.0.jar\x00", "puma 6 (x) []", "php\x00-S\x00", "php-fpm: pool ", "dotnet\x00.dll\x00", "perl\x00plackup\x00-a\x00",
		"beam.smp\x00-sname\x00@\x00", "nginx: x", "-\x00",
	} {
		f.Add(uint8(i), []byte(line), "/srv/shop")
	}
	// Nothing exists below this root, so that only what is parsed matters.
	files := FS{Proc: f.TempDir(), Root: f.TempDir()}
	f.Fuzz(func(t *testing.T, program uint8, raw []byte, cwd string) {
		p := Process{
			PID: 1, Executable: "/bin/" + programs[int(program)%len(programs)], Args: parseCommandLine(raw),
			WorkingDir: cwd, Command: "comm", files: files,
		}
		p.Language = p.language()
		identity := p.Identity()
		checkName(t, identity.Name)
		checkName(t, identity.Namespace)
		if identity.Name == "" || identity.Source == "" {
			t.Errorf("%q: identity %+v", p.Args, identity)
		}
	})
}

func FuzzEnviron(f *testing.F) {
	f.Add([]byte("OTEL_SERVICE_NAME=a\x00SECRET=b\x00=\x00name=x\x00pm_id=0\x00HOSTNAME"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for name := range parseEnviron(raw) {
			if !wantedVariable(name) {
				t.Errorf("kept %q", name)
			}
		}
	})
}

func FuzzResourceAttributes(f *testing.F) {
	for _, seed := range []string{"", "a=b", "service.name=sh%6Fp,service.namespace=x%2Cy,", "a", "=b", "a=%", "a==b,,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		attributes, err := ParseResourceAttributes(text)
		if err != nil {
			if attributes != nil {
				t.Errorf("%q: both attributes and %v", text, err)
			}
			return
		}
		// What was parsed and written again must be read back the same.
		var pairs []string
		for key, value := range attributes {
			pairs = append(pairs, percentEncode(key)+"="+percentEncode(value))
		}
		again, err := ParseResourceAttributes(strings.Join(pairs, ","))
		if err != nil || !maps.Equal(again, attributes) {
			t.Errorf("%q: read back as %q, %v", attributes, again, err)
		}
	})
}

func percentEncode(text string) string {
	var encoded strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&encoded, "%%%02X", text[i])
	}
	return encoded.String()
}
