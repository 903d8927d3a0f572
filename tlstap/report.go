package tlstap

import (
	"cmp"
	"slices"

	"sonde_exporter/tlslib"
)

// maxHidden bounds what is told of one service.
const maxHidden = 32

// File is a TLS library that has uprobes. A file with two libraries is listed
// twice.
type File struct {
	// Path is as the process sees it that was looked at first.
	Path    string
	Library tlslib.Library
	// Version is what the file says of itself, or "".
	Version string
	// Processes is how many processes map the file, of services that speak TLS.
	Processes int
	// Services are theirs, in order.
	Services []uint32
}

// report is what the worker found out so far. It never changes.
type report struct {
	files    []File
	failures []Failure
	hidden   map[uint32][]tlslib.Hidden
}

// Files lists what is attached, in the order of paths.
func (t *Tap) Files() []File { return slices.Clone(t.published.Load().files) }

// Failures counts the attempts to attach that failed.
func (t *Tap) Failures() []Failure { return slices.Clone(t.published.Load().failures) }

// Hidden says what of the TLS of a service cannot be seen, and why. It is empty
// for a service that does not speak TLS.
func (t *Tap) Hidden(service uint32) []tlslib.Hidden {
	return slices.Clone(t.published.Load().hidden[service])
}

func (t *Tap) report() *report {
	now := &report{failures: t.attachments.failures.list(), hidden: map[uint32][]tlslib.Hidden{}}
	for file := range t.attachments.all() {
		now.files = append(now.files, file.report()...)
	}
	slices.SortFunc(now.files, func(a, b File) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Library, b.Library), slices.Compare(a.Services, b.Services))
	})
	for id, service := range t.services {
		now.hidden[id] = service.hidden()
	}
	return now
}

func (f *file) report() []File {
	var all []File
	for _, attachment := range f.attachments {
		if attachment.closer != nil {
			all = append(all, File{
				Path:      f.path,
				Library:   attachment.image.Library,
				Version:   printable(attachment.image.Version),
				Processes: len(f.users),
				Services:  f.services(),
			})
		}
	}
	return all
}

// hidden collects what cannot be seen in the processes of a service, each once.
func (s *service) hidden() []tlslib.Hidden {
	set, attached := map[tlslib.Hidden]bool{}, false
	for process := range s.processes {
		for _, hidden := range process.hidden {
			set[tlslib.Hidden{Library: printable(hidden.Library), Reason: printable(hidden.Reason)}] = true
		}
		for _, file := range process.files {
			attached = attached || file.attached()
			for _, hidden := range file.hidden() {
				set[hidden] = true
			}
		}
	}
	if len(set) == 0 && !attached {
		return s.nothingFound()
	}
	all := make([]tlslib.Hidden, 0, len(set))
	for hidden := range set {
		all = append(all, hidden)
	}
	slices.SortFunc(all, func(a, b tlslib.Hidden) int {
		return cmp.Or(cmp.Compare(a.Library, b.Library), cmp.Compare(a.Reason, b.Reason))
	})
	return all[:min(len(all), maxHidden)]
}

// nothingFound says why there is nothing to tell.
func (s *service) nothingFound() []tlslib.Hidden {
	switch {
	case len(s.processes) > 0:
		return []tlslib.Hidden{{Library: unknownLibrary, Reason: "no TLS library known to Sonde is mapped"}}
	case !s.looked:
		return []tlslib.Hidden{{Library: unknownLibrary, Reason: "its processes ended before they could be looked at"}}
	}
	return nil
}
