package safefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOpenBeneath(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(outside, "secret"), "of the host")
	write(filepath.Join(root, "own"), "own")
	link := func(to, name string) {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("/own", "absolute")
	link(filepath.Join(outside, "secret"), "escape")
	link("../../../../../../../../"+outside+"/secret", "climb")
	if err := unix.Mkfifo(filepath.Join(root, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct{ name, path, want string }{
		{"a file", "/own", "own"},
		{"a link that means the root of the process", "/absolute", "own"},
		{"an absolute link to the outside", "/escape", ""},
		{"a link that climbs out", "/climb", ""},
		{"a FIFO that nobody writes to", "/fifo", ""},
		{"a directory", "/", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file, err := OpenBeneath(root, c.path)
			if err != nil {
				if c.want != "" {
					t.Fatal(err)
				}
				return
			}
			defer file.Close()
			text, err := os.ReadFile(file.Path())
			if err != nil {
				t.Fatal(err)
			}
			if string(text) != c.want {
				t.Errorf("%s holds %q, want %q", c.path, text, c.want)
			}
		})
	}
}

func TestOpenTellsWhatIsNotThere(t *testing.T) {
	if _, err := OpenLink(filepath.Join(t.TempDir(), "gone")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenLink says %v, want that it does not exist", err)
	}
	if _, err := OpenBeneath(t.TempDir(), "/gone"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenBeneath says %v, want that it does not exist", err)
	}
}

func TestBudgetReader(t *testing.T) {
	reader := &BudgetReader{Source: strings.NewReader("0123456789"), Left: 8}
	buffer := make([]byte, 4)
	for _, offset := range []int64{0, 4} {
		if n, err := reader.ReadAt(buffer, offset); n != len(buffer) || err != nil {
			t.Fatalf("ReadAt(%d) gave %d bytes and %v within the budget", offset, n, err)
		}
	}
	if n, err := reader.ReadAt(buffer[:1], 0); n != 0 || !errors.Is(err, ErrBudget) {
		t.Errorf("a read beyond the budget gave %d bytes and %v, want %v", n, err, ErrBudget)
	}
}
