// Package procfile reads the few files of procfs that several packages ask.
package procfile

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
)

// Mount is a line of mountinfo (proc(5)).
type Mount struct {
	Point   string
	Type    string   // of the file system
	Options []string // of the file system, not of the mount point
}

// Mounts lists what a process has mounted, in order; pid may be "self".
func Mounts(procfs, pid string) ([]Mount, error) {
	file, err := os.Open(filepath.Join(procfs, pid, "mountinfo"))
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // Nothing was written.
	var all []Mount
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		mount, filesystem, _ := strings.Cut(lines.Text(), " - ")
		fields, kind := strings.Fields(mount), strings.Fields(filesystem)
		if len(fields) >= 5 && len(kind) >= 3 {
			all = append(all, Mount{Point: unescape(fields[4]), Type: kind[0], Options: strings.Split(kind[2], ",")})
		}
	}
	return all, lines.Err()
}

// unescape undoes the octal escapes that the kernel uses for white space.
func unescape(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}
