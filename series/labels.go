package series

import (
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// MakeLabels pairs names with values, sorted by name as the exposition formats
// expect. Build it once per series and keep it. A name without a value gets the
// empty value, which Prometheus treats like an absent label. Invalid UTF-8 in a
// value is replaced, because one such value would fail the whole scrape.
func MakeLabels(names, values []string) []*dto.LabelPair {
	type label struct {
		dto         dto.LabelPair
		name, value string
	}
	backing := make([]label, len(names))
	pairs := make([]*dto.LabelPair, len(names))
	for i, name := range names {
		l := &backing[i]
		l.name = name
		if i < len(values) {
			l.value = strings.ToValidUTF8(values[i], "\uFFFD")
		}
		l.dto.Name, l.dto.Value = &l.name, &l.value
		pairs[i] = &l.dto
	}
	slices.SortFunc(pairs, func(a, b *dto.LabelPair) int { return strings.Compare(*a.Name, *b.Name) })
	return pairs
}
