package config

import (
	"slices"
	"strings"
	"testing"
)

// TestReferenceHasEveryKey: what the file may have and what the reference lists is
// the same.
func TestReferenceHasEveryKey(t *testing.T) {
	f := &fileReader{draft: newDraft(), problems: &problems{}}
	want := map[string]bool{"resource": true}
	for name := range f.ruleKeys(&ruleDraft{}) {
		want[name] = true
		want["discovery.services[]."+name] = true
	}
	for section, known := range f.sections() {
		for name := range known {
			want[section+"."+name] = true
		}
	}
	for _, section := range []string{"otel_traces_export", "otel_metrics_export", "grafana"} {
		for _, s := range f.draft.settingsOf(section) {
			delete(want, section+"."+strings.Split(s.name, ".")[0])
		}
		for _, s := range f.draft.settingsOf(section) {
			want[section+"."+s.name] = s.name != "insecure_skip_verify" // Beyla's spelling
		}
	}
	for _, name := range []string{"open_port", "executable_name"} { // an exclude rule names nothing
		want["discovery.exclude[]."+name] = true
	}
	for _, key := range Reference() {
		name := strings.TrimPrefix(key.Section+"."+key.Name, ".")
		if !want[name] {
			t.Errorf("the reference lists %s, which the file may not have, or lists it twice", name)
		}
		delete(want, name)
	}
	for name, isMissing := range want {
		if isMissing {
			t.Errorf("the reference does not list %s", name)
		}
	}
}

// TestReferenceHasEveryFlag that an export section has, and the variables of secrets.
func TestReferenceHasEveryFlag(t *testing.T) {
	keys := Reference()
	for _, flag := range exportFlags() {
		i := slices.IndexFunc(keys, func(k Key) bool { return k.Section == flag.section && k.Name == flag.key })
		if i < 0 {
			t.Errorf("the reference does not list %s.%s", flag.section, flag.key)
			continue
		}
		if !slices.Contains(keys[i].Variables, EnvName(flag.name())) {
			t.Errorf("%s.%s has the variables %q, want %s among them", flag.section, flag.key, keys[i].Variables, EnvName(flag.name()))
		}
		if (keys[i].Flag == "") != flag.isSecret || flag.help == "" {
			t.Errorf("%s.%s has the flag %q and the help %q", flag.section, flag.key, keys[i].Flag, flag.help)
		}
	}
}
