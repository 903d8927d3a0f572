package tlstap

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"sonde_exporter/tlslib"
)

// unknownLibrary is the name of a library that is not known.
const unknownLibrary = "unknown"

// process belongs to a service that speaks TLS.
type process struct {
	pid     uint32
	start   uint64
	service *service
	// looked says that the maps were read once, with digest.
	looked bool
	digest uint64
	// pause is the time until it is looked at again although its maps are the same.
	pause pause
	// again says that the next sweep looks at it again: a program maps its
	// libraries only after it was executed, and may still be about it.
	again  bool
	files  []*file
	hidden []tlslib.Hidden
}

func isGone(err error) bool { return errors.Is(err, errGone) }

// look attaches to the TLS libraries of a process, unless that was done already.
// A process that ends meanwhile is no error.
func (t *Tap) look(in *service, pid uint32) {
	start, err := t.procfs.start(pid)
	if err != nil {
		t.leave(pid)
		return
	}
	one := t.processes[pid]
	if one != nil && (one.start != start || one.service != in) {
		t.release(one)
		one = nil
	}
	if one == nil {
		one = &process{pid: pid, start: start, service: in}
		t.processes[pid] = one
		in.processes[one] = struct{}{}
		in.looked = true
	}
	t.inspect(one)
}

// inspect reads the maps of a process, and looks at its files if they are others
// than before, or after a while.
func (t *Tap) inspect(one *process) {
	maps, err := t.procfs.mappings(one.pid)
	switch {
	case isGone(err):
		t.release(one)
		return
	case err != nil:
		one.hidden = []tlslib.Hidden{{
			Library: unknownLibrary,
			Reason:  fmt.Sprintf("which files the process maps cannot be read (%s); Sonde needs CAP_SYS_PTRACE for this", withoutPath(err)),
		}}
		t.changed = true
		return
	}
	now := t.now()
	same := one.looked && maps.digest == one.digest
	if same && !one.pause.over(now) {
		return
	}
	if !same {
		one.again = true
		one.pause = pause{}
		one.service.listing = pause{}
	}
	one.pause.extend(now)
	one.looked, one.digest = true, maps.digest
	t.changed = true
	t.replaceFiles(one, maps)
	t.logger.Debug("a process was searched for TLS libraries", "pid", one.pid,
		"files", len(maps.files), "with_uprobes", len(one.files), "hidden", len(one.hidden))
}

// replaceFiles puts what a process maps now into the place of what it mapped.
func (t *Tap) replaceFiles(one *process, maps mappings) {
	before := one.files
	one.files, one.hidden = nil, nil
	budget := int64(analysisBudget)
	for _, mapping := range maps.files {
		found, err := t.lookAtFile(one, mapping, &budget)
		one.hidden = append(one.hidden, found...)
		if isGone(err) {
			continue
		}
		if err != nil {
			one.again = one.again || errors.Is(err, errLater)
			one.hidden = append(one.hidden, unreadable(mapping, err))
		}
	}
	if maps.truncated {
		one.hidden = append(one.hidden, tlslib.Hidden{
			Library: unknownLibrary,
			Reason:  fmt.Sprintf("the process maps more than %d files; only the first ones are looked at", maxMappings),
		})
	}
	for _, old := range before {
		if !one.uses(old) {
			t.attachments.leave(old, one, t.now())
		}
	}
}

func unreadable(mapping mapping, err error) tlslib.Hidden {
	if errors.Is(err, errLater) {
		return tlslib.Hidden{Library: unknownLibrary, Reason: err.Error()}
	}
	return tlslib.Hidden{
		Library: unknownLibrary,
		Reason: fmt.Sprintf("the mapped file %q cannot be read (%s); Sonde needs CAP_SYS_ADMIN, or CAP_CHECKPOINT_RESTORE and CAP_DAC_READ_SEARCH",
			printable(mapping.path), withoutPath(err)),
	}
}

// withoutPath is an error without the file below /proc/PID that it is about: in a
// label it has to be the same for every process.
func withoutPath(err error) string {
	var about *fs.PathError
	if errors.As(err, &about) {
		return strings.ReplaceAll(err.Error(), about.Error(), about.Err.Error())
	}
	return err.Error()
}

// lookAtFile attaches to the libraries in a file, and returns those that it
// cannot attach to.
func (t *Tap) lookAtFile(one *process, mapping mapping, budget *int64) ([]tlslib.Hidden, error) {
	opened, err := t.procfs.openMapped(one.pid, mapping)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	found, err := t.analyser.analyse(opened, mapping.path, budget)
	if err != nil {
		return nil, err
	}
	if len(found.Images) == 0 {
		return found.Hidden, nil
	}
	file := t.attachments.fileOf(opened, mapping.path, found.Images)
	if !one.uses(file) {
		one.files = append(one.files, file)
	}
	t.attachments.use(file, opened, one, mapping, t.now())
	return found.Hidden, nil
}

func (p *process) uses(wanted *file) bool { return slices.Contains(p.files, wanted) }

// release forgets a process.
func (t *Tap) release(one *process) {
	for _, file := range one.files {
		t.attachments.leave(file, one, t.now())
	}
	delete(one.service.processes, one)
	delete(t.processes, one.pid)
	// Others may use what it used, and not be known.
	one.service.stale = true
	t.changed = true
}
