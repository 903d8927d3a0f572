package tlstap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Positions in /proc/PID/stat, counted from the field after the command, which
// is the state (proc_pid_stat(5) counts that one as 3).
const (
	statState   = 0
	statThreads = 20 - 3
	statStart   = 22 - 3
)

// errGone says that a process ended.
var errGone = errors.New("the process has ended")

// procfs is the directory in which processes are looked up.
type procfs string

func (p procfs) path(pid uint32, name string) string {
	return filepath.Join(string(p), strconv.FormatUint(uint64(pid), 10), name)
}

// start is when a process started, in clock ticks since boot: with the process
// id, it identifies the process. The error is errGone if there is none.
func (p procfs) start(pid uint32) (uint64, error) {
	const maxStat = 4 << 10
	file, err := os.Open(p.path(pid, "stat"))
	if err != nil {
		return 0, goneOr(err)
	}
	defer file.Close() //nolint:errcheck // Nothing was written.
	raw, err := io.ReadAll(io.LimitReader(file, maxStat))
	if err != nil {
		return 0, goneOr(err)
	}
	return parseStart(raw)
}

// goneOr is errGone if an error of procfs means that the process has ended.
func goneOr(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return errGone
	}
	return err
}

// parseStart looks for the last closing parenthesis, because a process may put
// parentheses and spaces into its own command name.
func parseStart(stat []byte) (uint64, error) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= statStart {
		return 0, fmt.Errorf("stat has %d fields after the command, want more than %d", len(fields), statStart)
	}
	// A process that ended stays as a zombie until its parent looks. It also is
	// one when its first thread has ended and others go on.
	state, threads := string(fields[statState]), string(fields[statThreads])
	if (state == "Z" || state == "X") && (threads == "0" || threads == "1") {
		return 0, errGone
	}
	start, err := strconv.ParseUint(string(fields[statStart]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("stat: start time: %w", err)
	}
	return start, nil
}
