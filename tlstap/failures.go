package tlstap

import (
	"cmp"
	"slices"

	"sonde_exporter/tlslib"
)

// maxTold bounds the memory of which failures were told.
const maxTold = 1024

// Failure counts attempts to attach that failed for one reason.
type Failure struct {
	Library tlslib.Library
	// Reason is that of one of the Causes.
	Reason string
	// Count only grows.
	Count uint64
}

type failureKind struct {
	library tlslib.Library
	reason  string
}

type toldFailure struct {
	file    fileID
	library tlslib.Library
}

// failures counts failed attachments.
type failures struct {
	counts map[failureKind]uint64
	// told outlives the files: a program that runs again and again would have
	// its failure told each time.
	told map[toldFailure]bool
}

func newFailures() *failures {
	return &failures{counts: map[failureKind]uint64{}, told: map[toldFailure]bool{}}
}

// add counts a failure, and says whether it is the first of the file.
func (f *failures) add(file fileID, library tlslib.Library, reason string) (first bool) {
	f.counts[failureKind{library, reason}]++
	key := toldFailure{file, library}
	if f.told[key] {
		return false
	}
	if len(f.told) >= maxTold {
		clear(f.told)
	}
	f.told[key] = true
	return true
}

// list copies the counters, in order.
func (f *failures) list() []Failure {
	all := make([]Failure, 0, len(f.counts))
	for kind, count := range f.counts {
		all = append(all, Failure{kind.library, kind.reason, count})
	}
	slices.SortFunc(all, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(a.Library, b.Library), cmp.Compare(a.Reason, b.Reason))
	})
	return all
}
