package tlstap

import (
	"errors"
	"log/slog"
	"time"

	"sonde_exporter/tlslib"
)

// attachments are the files with TLS libraries that processes of services map.
type attachments struct {
	attacher Attacher
	nameOf   func(service uint32) string
	logger   *slog.Logger
	linger   time.Duration
	// files lists each file under every id by which it was found.
	files    map[fileID]*file
	failures *failures
}

func newAttachments(options Options) *attachments {
	return &attachments{
		attacher: options.Attacher,
		nameOf:   options.NameOf,
		logger:   options.Logger,
		linger:   options.Linger,
		files:    map[fileID]*file{},
		failures: newFailures(),
	}
}

// fileOf finds the file, or adds it.
func (a *attachments) fileOf(opened mappedFile, path string, images []tlslib.Image) *file {
	if known := a.files[opened.id()]; known != nil {
		// Uprobes and mappings keep their inode. Without either, it may have become
		// free and be another file by now.
		if known.attached() || len(known.users) > 0 || known.content == opened.content() {
			return known
		}
		a.remove(known)
	}
	features := opened.fingerprint()
	for _, other := range a.files {
		if other.features.sameBelow(features) {
			a.files[opened.id()] = other
			return other
		}
	}
	added := newFile(opened.content(), features, path, images)
	a.files[opened.id()] = added
	return added
}

// use notes that a process maps a file, and attaches to it if that was not done.
func (a *attachments) use(file *file, opened mappedFile, by *process, at mapping, now time.Time) {
	file.users[by] = at
	if file.incomplete() && file.pause.over(now) {
		a.attach(file, opened.Path(), by.service.id, now)
	}
	a.tell(file, by.service.id)
}

// leave notes that a process maps a file no more.
func (a *attachments) leave(file *file, by *process, now time.Time) {
	delete(file.users, by)
	if len(file.users) == 0 {
		file.unusedSince = now
	}
}

// attach tries all libraries of a file that have no uprobes.
func (a *attachments) attach(file *file, path string, service uint32, now time.Time) {
	for _, attachment := range file.attachments {
		if attachment.closer != nil {
			continue
		}
		attachment.closer, attachment.err = a.attacher.AttachTLS(path, attachment.image)
		if attachment.err != nil {
			attachment.closer = nil
			a.fail(file, attachment, service)
		}
	}
	file.pause.extend(now)
	if !file.incomplete() {
		file.pause = pause{}
	}
}

// fail counts a failed attachment, and tells the first one of a file.
func (a *attachments) fail(file *file, failed *attachment, service uint32) {
	image, cause := failed.image, causeOf(failed.err)
	if first := a.failures.add(file.content.id, image.Library, cause.Reason); !first {
		return
	}
	a.logger.Warn("TLS of a service is not seen: uprobes cannot be attached; it will be tried again",
		"service", a.nameOf(service), "library", image.Library.String(), "version", printable(image.Version),
		"file", file.path, "symbol", symbolOf(failed.err, image), "err", failed.err, "remedy", cause.Remedy)
}

// tell logs once for a service that its TLS is seen from now on.
func (a *attachments) tell(file *file, service uint32) {
	if file.told[service] || !file.attached() {
		return
	}
	file.told[service] = true
	for _, attachment := range file.attachments {
		if attachment.closer != nil {
			a.logger.Info("TLS of a service is seen from now on", "service", a.nameOf(service),
				"library", attachment.image.Library.String(), "version", printable(attachment.image.Version), "file", file.path)
		}
	}
}

// retry attaches to what failed before, by way of any process that is left.
func (a *attachments) retry(procfs procfs, now time.Time) {
	for file := range a.all() {
		if !file.incomplete() || !file.pause.over(now) {
			continue
		}
		for user, at := range file.users {
			opened, err := procfs.openMapped(user.pid, at)
			if err != nil {
				continue
			}
			if a.files[opened.id()] == file {
				a.attach(file, opened.Path(), user.service.id, now)
				a.tell(file, user.service.id)
			}
			opened.Close()
			break
		}
	}
}

// detachUnused removes the uprobes from files that no process uses any more.
func (a *attachments) detachUnused(now time.Time) {
	for file := range a.all() {
		if len(file.users) > 0 || now.Sub(file.unusedSince) < a.linger {
			continue
		}
		if file.attached() {
			a.logger.Debug("TLS uprobes are detached: no process uses the file any more", "file", file.path)
		}
		if err := file.detach(); err != nil {
			a.logger.Warn("TLS uprobes were not detached cleanly", "file", file.path, "err", err)
		}
		// A file that failed is remembered until it may be tried again, so that
		// programs that run briefly do not make it fail over and over.
		if file.pause.over(now) {
			a.remove(file)
		}
	}
}

// forget makes room for another service of the same number.
func (a *attachments) forget(service uint32) {
	for file := range a.all() {
		delete(file.told, service)
	}
}

func (a *attachments) remove(gone *file) {
	for id, file := range a.files {
		if file == gone {
			delete(a.files, id)
		}
	}
}

// all is the set of files.
func (a *attachments) all() map[*file]struct{} {
	set := make(map[*file]struct{}, len(a.files))
	for _, file := range a.files {
		set[file] = struct{}{}
	}
	return set
}

// close removes all uprobes.
func (a *attachments) close() error {
	var failures []error
	for file := range a.all() {
		failures = append(failures, file.detach())
	}
	clear(a.files)
	return errors.Join(failures...)
}
