package tlstap

import (
	"bufio"
	"bytes"
	"errors"
	"hash/fnv"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	// maxMaps bounds what is read of /proc/PID/maps. Databases come to 30 MB.
	maxMaps = 64 << 20
	// maxMappings is how many files of one process are looked at.
	maxMappings = 1000
	// maxMapsLine is a line with a path of PATH_MAX bytes, each of them escaped.
	maxMapsLine = 32 << 10

	deletedSuffix = " (deleted)"
)

// mapping is a part of a file that a process can execute.
type mapping struct {
	// addresses is "START-END" in hexadecimal, as maps and map_files have it.
	addresses string
	// device and inode are what the kernel says in maps. Below overlayfs and
	// btrfs, they may differ from what stat says.
	device, inode uint64
	// path is as the process sees it, without " (deleted)".
	path    string
	deleted bool
}

// mappings are the executable files of a process, each once.
type mappings struct {
	files []mapping
	// digest changes when the files or their addresses do.
	digest uint64
	// truncated says that there are more than maxMappings files.
	truncated bool
}

// mappings reads which files a process can execute. The error is errGone if the
// process has ended.
func (p procfs) mappings(pid uint32) (mappings, error) {
	file, err := os.Open(p.path(pid, "maps"))
	if err != nil {
		return mappings{}, goneOr(err)
	}
	defer file.Close() //nolint:errcheck // Nothing was written.
	found, err := parseMaps(io.LimitReader(file, maxMaps))
	if err != nil {
		return mappings{}, goneOr(err)
	}
	return found, nil
}

func parseMaps(source io.Reader) (mappings, error) {
	type identity struct {
		device, inode uint64
		path          string
	}
	found, seen, digest := mappings{}, map[identity]bool{}, fnv.New64a()
	lines := bufio.NewScanner(source)
	lines.Buffer(nil, maxMapsLine)
	for lines.Scan() {
		one, ok := parseMapping(lines.Bytes())
		id := identity{one.device, one.inode, one.path}
		if !ok || seen[id] {
			continue
		}
		if len(found.files) == maxMappings {
			found.truncated = true
			break
		}
		seen[id] = true
		found.files = append(found.files, one)
		_, _ = digest.Write(lines.Bytes()) // It never fails.
	}
	found.digest = digest.Sum64()
	if err := lines.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) {
		return mappings{}, err
	}
	return found, nil
}

// parseMapping parses a line like
//
//	7f5b-7f5c r-xp 00000000 fd:01 1234                       /usr/lib/libssl.so.3
//
// It is not ok for what is not executable, or has no file. The path is all that
// follows the spaces after the inode, and may contain more spaces.
func parseMapping(line []byte) (mapping, bool) {
	const fieldsBeforePath = 5
	fields, rest := [fieldsBeforePath][]byte{}, line
	for i := range fields {
		fields[i], rest, _ = bytes.Cut(rest, []byte{' '})
	}
	path := bytes.TrimLeft(rest, " ")
	if permissions := fields[1]; len(permissions) < 3 || permissions[2] != 'x' || len(path) == 0 || path[0] != '/' {
		return mapping{}, false
	}
	major, minor, _ := bytes.Cut(fields[3], []byte{':'})
	majorNumber, majorErr := strconv.ParseUint(string(major), 16, 32)
	minorNumber, minorErr := strconv.ParseUint(string(minor), 16, 32)
	inode, inodeErr := strconv.ParseUint(string(fields[4]), 10, 64)
	if errors.Join(majorErr, minorErr, inodeErr) != nil || inode == 0 || !isRange(fields[0]) {
		return mapping{}, false
	}
	// The kernel escapes line ends in paths, and nothing else.
	name, deleted := strings.CutSuffix(strings.ReplaceAll(string(path), `\012`, "\n"), deletedSuffix)
	return mapping{
		addresses: string(fields[0]),
		device:    unix.Mkdev(uint32(majorNumber), uint32(minorNumber)),
		inode:     inode,
		path:      name,
		deleted:   deleted,
	}, true
}

// isRange says whether text is "START-END" in hexadecimal: it becomes the name
// of a file.
func isRange(text []byte) bool {
	start, end, found := bytes.Cut(text, []byte{'-'})
	_, startErr := strconv.ParseUint(string(start), 16, 64)
	_, endErr := strconv.ParseUint(string(end), 16, 64)
	return found && startErr == nil && endErr == nil
}
