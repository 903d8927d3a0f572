package tlstap

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"sonde_exporter/tlslib"
)

// file holds at least one TLS library that uprobes fit.
type file struct {
	content  contentID
	features fingerprint
	// path is as the process sees it that was looked at first.
	path        string
	attachments []*attachment
	// users are the processes that map it, and where.
	users map[*process]mapping
	// unusedSince is when the last user was gone.
	unusedSince time.Time
	// pause is the time until a failed attachment is tried again.
	pause pause
	// told lists the services for which it was logged.
	told map[uint32]bool
}

// attachment is one library of a file.
type attachment struct {
	image tlslib.Image
	// closer is nil unless the uprobes are in place.
	closer io.Closer
	// err says why the last attempt failed.
	err error
}

func newFile(content contentID, features fingerprint, path string, images []tlslib.Image) *file {
	added := &file{
		content:  content,
		features: features,
		path:     printable(path),
		users:    map[*process]mapping{},
		told:     map[uint32]bool{},
	}
	for _, image := range images {
		added.attachments = append(added.attachments, &attachment{image: image})
	}
	return added
}

// attached says that at least one library has uprobes.
func (f *file) attached() bool {
	return slices.ContainsFunc(f.attachments, func(a *attachment) bool { return a.closer != nil })
}

// incomplete says that at least one library has none.
func (f *file) incomplete() bool {
	return slices.ContainsFunc(f.attachments, func(a *attachment) bool { return a.closer == nil })
}

// detach removes all uprobes from the file.
func (f *file) detach() error {
	var failures []error
	for _, attachment := range f.attachments {
		if attachment.closer != nil {
			failures = append(failures, attachment.closer.Close())
			attachment.closer = nil
		}
	}
	clear(f.told)
	return errors.Join(failures...)
}

// hidden says what of the file is not seen because attaching failed.
func (f *file) hidden() []tlslib.Hidden {
	var hidden []tlslib.Hidden
	for _, attachment := range f.attachments {
		if attachment.err != nil {
			hidden = append(hidden, tlslib.Hidden{
				Library: displayName(attachment.image.Library),
				// Without the error itself: in a label it would have to stay the same.
				Reason: fmt.Sprintf("uprobes cannot be attached to %s in %q; %s", symbolOf(attachment.err, attachment.image),
					f.path, causeOf(attachment.err).Remedy),
			})
		}
	}
	return hidden
}

// services lists the services whose processes map the file, in order.
func (f *file) services() []uint32 {
	all := make([]uint32, 0, 1)
	for process := range f.users {
		all = append(all, process.service.id)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// displayName is the name of a library as its makers write it.
func displayName(library tlslib.Library) string {
	switch library {
	case tlslib.OpenSSL:
		return "OpenSSL"
	case tlslib.GnuTLS:
		return "GnuTLS"
	case tlslib.Go:
		return "Go"
	}
	return library.String()
}

// printable makes text from a stranger valid UTF-8.
func printable(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
