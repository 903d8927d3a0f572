package preflight

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"sonde_exporter/procfile"
)

// Procfs is what can be read of processes.
type Procfs struct {
	Path      string
	Err       error  // why it cannot be read at all
	Processes int    // that can be seen
	Denied    int    // of these, those that cannot be read
	HidePID   string // the mount option, empty if it is not set
}

func lookAtProcfs(path string) Procfs {
	p := Procfs{Path: path, HidePID: hidePID(path)}
	entries, err := os.ReadDir(path)
	if err != nil {
		p.Err = err
		return p
	}
	for _, entry := range entries {
		if _, err := strconv.Atoi(entry.Name()); err != nil {
			continue
		}
		p.Processes++
		// The kernel asks for the same right as for the executable's name.
		environ, err := os.Open(filepath.Join(path, entry.Name(), "environ"))
		switch {
		case err == nil:
			_ = environ.Close()
		case errors.Is(err, fs.ErrPermission):
			p.Denied++
		}
	}
	return p
}

// hidePID reads the mount option hidepid= of a procfs (proc(5)).
func hidePID(procfs string) string {
	mounts, err := procfile.Mounts(procfs, "self")
	if err != nil {
		return ""
	}
	value := ""
	for _, mount := range mounts {
		if mount.Type != "proc" || mount.Point != filepath.Clean(procfs) {
			continue
		}
		value = "" // The last mount on a directory is the one in sight.
		for _, option := range mount.Options {
			if text, found := strings.CutPrefix(option, "hidepid="); found && text != "0" && text != "off" {
				value = text
			}
		}
	}
	return value
}
