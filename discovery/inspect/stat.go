package inspect

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Positions in /proc/PID/stat, counted from the field after the command, which
// is the state (proc_pid_stat(5) counts that one as 3).
const (
	statParent    = 4 - 3
	statTerminal  = 7 - 3
	statStartTime = 22 - 3
)

type stat struct {
	command    string
	parent     int
	terminal   int
	startTicks uint64
}

func (f FS) readStat(pid int) (stat, error) {
	raw, err := readCapped(f.processPath(pid, "stat"), maxSmallFile)
	if err != nil {
		return stat{}, processError(pid, err)
	}
	s, err := parseStat(raw)
	if err != nil {
		return stat{}, processError(pid, err)
	}
	return s, nil
}

// parseStat looks for the last closing parenthesis, because a process may put
// parentheses, spaces and line ends into its own command name.
func parseStat(raw []byte) (stat, error) {
	open, closing := bytes.IndexByte(raw, '('), bytes.LastIndexByte(raw, ')')
	if open < 0 || closing < open {
		return stat{}, fmt.Errorf("stat has no command in parentheses: %.64q", raw)
	}
	fields := strings.Fields(string(raw[closing+1:]))
	if len(fields) <= statStartTime {
		return stat{}, fmt.Errorf("stat has %d fields after the command, want more than %d", len(fields), statStartTime)
	}
	s := stat{command: string(raw[open+1 : closing])}
	var err error
	if s.parent, err = strconv.Atoi(fields[statParent]); err != nil {
		return stat{}, fmt.Errorf("stat: parent: %w", err)
	}
	if s.terminal, err = strconv.Atoi(fields[statTerminal]); err != nil {
		return stat{}, fmt.Errorf("stat: terminal: %w", err)
	}
	if s.startTicks, err = strconv.ParseUint(fields[statStartTime], 10, 64); err != nil {
		return stat{}, fmt.Errorf("stat: start time: %w", err)
	}
	return s, nil
}

// startTime adds the ticks to the time of boot (btime in /proc/stat). It is
// zero when that is unknown.
func (f FS) startTime(ticks uint64) time.Time {
	raw, err := readCapped(filepath.Join(f.procDir(), "stat"), 1<<20)
	if err != nil {
		return time.Time{}
	}
	for line := range strings.Lines(string(raw)) {
		value, found := strings.CutPrefix(line, "btime ")
		if !found {
			continue
		}
		boot, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		if err != nil {
			return time.Time{}
		}
		seconds, rest := ticks/userHZ, ticks%userHZ
		return time.Unix(boot+int64(seconds), int64(rest)*int64(time.Second)/userHZ)
	}
	return time.Time{}
}
