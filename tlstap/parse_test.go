package tlstap

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseMapping(t *testing.T) {
	cases := []struct {
		name, line string
		want       mapping
		ok         bool
	}{
		{
			"a library", "7f40-7f41 r-xp 0001f000 fe:00 326786                     /usr/lib/libssl.so.3",
			mapping{addresses: "7f40-7f41", device: unix.Mkdev(0xfe, 0), inode: 326786, path: "/usr/lib/libssl.so.3"}, true,
		},
		{
			"a deleted file", "1-2 --xs 0 00:1a 5 /memfd:code (deleted)",
			mapping{addresses: "1-2", device: unix.Mkdev(0, 0x1a), inode: 5, path: "/memfd:code", deleted: true}, true,
		},
		{
			"spaces and line ends", `1-2 r-xp 0 00:1a 5   /a  b\012c`,
			mapping{addresses: "1-2", device: unix.Mkdev(0, 0x1a), inode: 5, path: "/a  b\nc"}, true,
		},
		{"data", "1-2 rw-p 0 00:1a 5 /usr/lib/libssl.so.3", mapping{}, false},
		{"anonymous", "1-2 r-xp 00000000 00:00 0 ", mapping{}, false},
		{"vdso", "1-2 r-xp 00000000 00:00 0                  [vdso]", mapping{}, false},
		{"anonymous inode", "1-2 r-xp 0 00:0e 9 anon_inode:[x]", mapping{}, false},
		{"shared and anonymous, with a path", "1-2 r-xp 0 00:00 0 /x", mapping{}, false},
		{"addresses that lead elsewhere", "../../exe r-xp 0 00:1a 5 /x", mapping{}, false},
		{"addresses with a slash", "1-/2 r-xp 0 00:1a 5 /x", mapping{}, false},
		{"no device", "1-2 r-xp 0 1a 5 /x", mapping{}, false},
		{"no inode", "1-2 r-xp 0 00:1a x /x", mapping{}, false},
		{"too short", "1-2 r", mapping{}, false},
		{"empty", "", mapping{}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := parseMapping([]byte(c.line)); ok != c.ok || got != c.want && ok {
				t.Errorf("parsed as %+v (%v), want %+v (%v)", got, ok, c.want, c.ok)
			}
		})
	}
}

func TestParseMaps(t *testing.T) {
	const libssl = "1000-2000 r-xp 0 00:1a 5 /libssl.so\n"
	parse := func(text string) mappings {
		t.Helper()
		maps, err := parseMaps(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return maps
	}
	one := parse("0-1000 r--p 0 00:1a 5 /libssl.so\n" + libssl + libssl)
	if len(one.files) != 1 || one.files[0].path != "/libssl.so" {
		t.Errorf("files are %+v, want one", one.files)
	}
	if other := parse(libssl + "8000-9000 rwxp 0 00:00 0 \n"); other.digest != one.digest {
		t.Error("code that was compiled in memory changes the digest, want it to be the same")
	}
	if other := parse(strings.ReplaceAll(libssl, "1000", "1100")); other.digest == one.digest {
		t.Error("another address has the same digest, want another one")
	}
	many := strings.Builder{}
	for i := range maxMappings + 1 {
		fmt.Fprintf(&many, "1000-2000 r-xp 0 00:1a %d /lib\n", i+1)
	}
	if all := parse(many.String()); len(all.files) != maxMappings || !all.truncated {
		t.Errorf("%d files (truncated: %v), want %d", len(all.files), all.truncated, maxMappings)
	}
	if long := parse(libssl + "1-2 r-xp 0 00:1a 6 /" + strings.Repeat("x", maxMapsLine) + "\n"); len(long.files) != 1 {
		t.Errorf("%d files, want the one before the line that is too long", len(long.files))
	}
}

func FuzzParseMaps(f *testing.F) {
	f.Add([]byte("7f40-7f41 r-xp 0001f000 fe:00 326786    /usr/lib/libssl.so.3 (deleted)\n1-2 r-xp 0 0:0 5 /\\012"))
	f.Fuzz(func(t *testing.T, text []byte) {
		maps, err := parseMaps(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("text that can be read gives the error %v", err)
		}
		for _, file := range maps.files {
			if strings.Contains(file.addresses, "/") || file.inode == 0 || file.path == "" {
				t.Errorf("a mapping is %+v", file)
			}
		}
	})
}

func TestParseStart(t *testing.T) {
	stat := func(state, threads string) string {
		return "1 (a) b) " + state + " " + strings.Repeat("0 ", 16) + threads + " 0 777 0 0"
	}
	cases := []struct {
		name, stat string
		want       uint64
		gone, ok   bool
	}{
		{"running", stat("R", "1"), 777, false, true},
		{"zombie", stat("Z", "1"), 0, true, false},
		{"dead", stat("X", "0"), 0, true, false},
		{"first thread has ended, others go on", stat("Z", "3"), 777, false, true},
		{"cut off", "1 (a) R 0 0", 0, false, false},
		{"no number", strings.Replace(stat("R", "1"), "777", "x", 1), 0, false, false},
		{"empty", "", 0, false, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseStart([]byte(c.stat))
			if got != c.want || isGone(err) != c.gone || (err == nil) != c.ok {
				t.Errorf("start is %d, and the error %v", got, err)
			}
		})
	}
}

func TestCauses(t *testing.T) {
	var got []string
	for _, err := range []error{
		unix.EPERM, fmt.Errorf("perf_event_open: %w", unix.EACCES), unix.ENOENT, unix.EOPNOTSUPP,
		unix.Errno(524), unix.EINVAL, unix.EMFILE, unix.EIO, errors.New("?"),
	} {
		got = append(got, causeOf(err).Reason)
		if causeOf(err).Remedy == "" {
			t.Errorf("%v has no remedy", err)
		}
	}
	want := []string{"permission", "permission", "unsupported", "unsupported", "instruction", "instruction", "limit", "filesystem", "other"}
	if !slices.Equal(got, want) {
		t.Errorf("causes are %v, want %v", got, want)
	}
}

// TestWithoutPath: what is wrong with one process is one series for all of them.
func TestWithoutPath(t *testing.T) {
	denied := &fs.PathError{Op: "open", Path: "/proc/4711/map_files/1-2", Err: fs.ErrPermission}
	cases := map[string]error{
		"permission denied": denied,
		"another file has taken its name: permission denied": fmt.Errorf("another file has taken its name: %w", denied),
		"it is not a regular file":                           errors.New("it is not a regular file"),
	}
	for want, err := range cases {
		want = strings.Replace(want, "permission denied", denied.Err.Error(), 1)
		if got := withoutPath(err); got != want {
			t.Errorf("%v becomes %q, want %q", err, got, want)
		}
	}
}
