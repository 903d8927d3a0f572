package tlstap

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"

	"sonde_exporter/tlslib"
)

const (
	// maxAnalyses bounds the files that are remembered: a host has some thousand
	// distinct executables and libraries in use.
	maxAnalyses = 8192
	// analysisBudget is how many bytes are read at most while one process is
	// looked at. The rest of its files have their turn later.
	analysisBudget = 1 << 30
)

// errLater says that a file was not analysed because the budget is used up.
var errLater = errors.New("many large files are mapped; not all of them were looked at yet")

// findFunc is tlslib.Find.
type findFunc func(source io.ReaderAt, size int64) (tlslib.Found, error)

// analyser remembers what is in files, also that there is nothing in most.
type analyser struct {
	find   findFunc
	logger *slog.Logger
	known  map[contentID]tlslib.Found
}

func newAnalyser(find findFunc, logger *slog.Logger) *analyser {
	return &analyser{find: find, logger: logger, known: map[contentID]tlslib.Found{}}
}

// analyse says which TLS libraries a file holds. It takes what it reads from
// budget. What is no ELF file, or a malformed one, holds none. The error says
// why the file cannot be read.
func (a *analyser) analyse(file mappedFile, path string, budget *int64) (tlslib.Found, error) {
	if found, ok := a.known[file.content()]; ok {
		return found, nil
	}
	if *budget <= 0 {
		return tlslib.Found{}, errLater
	}
	source, err := os.Open(file.Path())
	if err != nil {
		return tlslib.Found{}, errors.Unwrap(err) // Its path says nothing to anybody.
	}
	defer source.Close() //nolint:errcheck // Nothing was written.
	found, err := a.find(&meter{source, budget}, file.Stat.Size)
	if err != nil && !errors.Is(err, tlslib.ErrNotELF) {
		a.logger.Debug("a mapped file was not searched for TLS", "file", printable(path), "err", err)
	} else {
		a.explain(path, found)
	}
	if len(a.known) >= maxAnalyses {
		clear(a.known) // Rare enough that to begin anew is good enough.
	}
	a.known[file.content()] = found
	return found, nil
}

// explain says what will become of a file: most hold no TLS library.
func (a *analyser) explain(path string, found tlslib.Found) {
	if !a.logger.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	path = printable(path)
	for _, image := range found.Images {
		a.logger.Debug("a mapped file gets uprobes", "file", path, "library", image.Library.String(),
			"version", printable(image.Version), "sites", len(image.Sites))
	}
	for _, hidden := range found.Hidden {
		a.logger.Debug("a mapped file gets no uprobes", "file", path, "library", printable(hidden.Library), "reason", printable(hidden.Reason))
	}
	if len(found.Images)+len(found.Hidden) == 0 {
		a.logger.Debug("a mapped file gets no uprobes", "file", path, "reason", "there is no TLS library in it")
	}
}

// meter takes what is read from a budget.
type meter struct {
	source io.ReaderAt
	left   *int64
}

func (m *meter) ReadAt(buffer []byte, offset int64) (int, error) {
	n, err := m.source.ReadAt(buffer, offset)
	*m.left -= int64(n)
	return n, err
}
