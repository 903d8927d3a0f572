package series

import (
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// MakeLabels pairs names with values, sorted by name as the exposition formats
// expect. Build it once per series and keep it. A name with the empty value, or
// with none, is left out: to Prometheus that is the same, and it is shorter.
// Invalid UTF-8 in a value is replaced, because one such value would fail the
// whole scrape.
func MakeLabels(names, values []string) []*dto.LabelPair {
	type label struct {
		dto         dto.LabelPair
		name, value string
	}
	backing := make([]label, 0, len(names))
	pairs := make([]*dto.LabelPair, 0, len(names))
	for i, name := range names {
		if i >= len(values) || values[i] == "" {
			continue
		}
		backing = append(backing, label{name: name, value: strings.ToValidUTF8(values[i], "\uFFFD")})
		l := &backing[len(backing)-1] // backing never grows, so this stays where it is
		l.dto.Name, l.dto.Value = &l.name, &l.value
		pairs = append(pairs, &l.dto)
	}
	slices.SortFunc(pairs, func(a, b *dto.LabelPair) int { return strings.Compare(*a.Name, *b.Name) })
	return pairs
}
