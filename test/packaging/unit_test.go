package packaging

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const unitFile = "packaging/systemd/sonde_exporter.service"

// maxExposure is what `systemd-analyze security` may say at most, in tenths; 10.0 is
// no protection. What is left are the five capabilities, and that Sonde looks at all
// processes and is reached by network.
const maxExposure = "26"

func TestUnitIsConfined(t *testing.T) {
	output(t, "systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold="+maxExposure,
		release(t).root+"/"+unitFile)
}

func TestUnitIsValid(t *testing.T) {
	m := startMachine(t, "")
	m.install(t, release(t).binary(), "/usr/bin/sonde_exporter")
	for _, dropIn := range []string{"", "packaging/systemd/sys-admin.conf"} {
		if dropIn != "" {
			m.write(t, "/etc/systemd/system/"+unit+".d/a.conf", release(t).source(t, dropIn))
		}
		m.write(t, "/etc/systemd/system/"+unit, release(t).source(t, unitFile))
		if said := m.run(t, "systemd-analyze", "verify", "--man=no", "/etc/systemd/system/"+unit); said != "" {
			t.Errorf("systemd-analyze verify says of the unit with drop-in %q:\n%s", dropIn, said)
		}
	}
}

// unitCapabilities are those of one setting of the unit.
func unitCapabilities(t testing.TB, setting string) []string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + setting + `=(.+)$`).FindStringSubmatch(release(t).source(t, unitFile))
	if len(found) == 0 {
		t.Fatalf("%s has no %s=", unitFile, setting)
	}
	return strings.Fields(found[1])
}

// capabilityBits has those that the tests meet.
func capabilityBits() map[string]uint {
	return map[string]uint{
		"CAP_BPF": unix.CAP_BPF, "CAP_PERFMON": unix.CAP_PERFMON, "CAP_NET_ADMIN": unix.CAP_NET_ADMIN,
		"CAP_SYS_PTRACE": unix.CAP_SYS_PTRACE, "CAP_DAC_READ_SEARCH": unix.CAP_DAC_READ_SEARCH, "CAP_SYS_ADMIN": unix.CAP_SYS_ADMIN,
	}
}

func maskOf(t testing.TB, names []string) uint64 {
	t.Helper()
	var mask uint64
	for _, name := range names {
		bit, known := capabilityBits()[name]
		if !known {
			t.Fatalf("the test does not know %s", name)
		}
		mask |= 1 << bit
	}
	return mask
}

func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }
