package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Ports is a set of TCP ports. The zero value is not set and contains none.
type Ports struct {
	ranges []portRange // ascending, neither overlapping nor adjacent
}

type portRange struct{ first, last uint16 }

// ParsePorts reads ports and ranges separated by commas: "80,443,8000-8999".
func ParsePorts(text string) (Ports, error) {
	if strings.TrimSpace(text) == "" {
		return Ports{}, errors.New("no port is given; write a port such as 443, a list such as 80,443 or a range such as 8000-8999")
	}
	var ranges []portRange
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			return Ports{}, fmt.Errorf("a port is missing beside a comma in %s; remove the comma", quote(text))
		}
		r, err := parseRange(item)
		if err != nil {
			return Ports{}, err
		}
		ranges = append(ranges, r)
	}
	return newPorts(ranges), nil
}

func parseRange(item string) (portRange, error) {
	from, to, isRange := strings.Cut(item, "-")
	first, err := parsePort(strings.TrimSpace(from), item)
	if err != nil {
		return portRange{}, err
	}
	if !isRange {
		return portRange{first, first}, nil
	}
	last, err := parsePort(strings.TrimSpace(to), item)
	if err != nil {
		return portRange{}, err
	}
	if last < first {
		return portRange{}, fmt.Errorf("range %d-%d is reversed; write %d-%d", first, last, last, first)
	}
	return portRange{first, last}, nil
}

// parsePort takes plain decimal digits only. A leading zero is refused because
// YAML 1.1 reads such a number as octal.
func parsePort(digits, item string) (uint16, error) {
	plain := digits != "" && strings.Trim(digits, "0123456789") == "" && (digits[0] != '0' || digits == "0")
	if !plain {
		return 0, fmt.Errorf("%s is not a port; write a number such as 443 or a range such as 8000-8999", quote(item))
	}
	port, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("port %s does not exist; ports are 1 to 65535", shorten(digits))
	}
	return uint16(port), nil
}

// newPorts sorts and merges, so that equal sets have equal ranges.
func newPorts(ranges []portRange) Ports {
	slices.SortFunc(ranges, func(a, b portRange) int { return cmp.Compare(a.first, b.first) })
	var merged []portRange
	for _, r := range ranges {
		if n := len(merged); n > 0 && int(r.first) <= int(merged[n-1].last)+1 {
			merged[n-1].last = max(merged[n-1].last, r.last)
			continue
		}
		merged = append(merged, r)
	}
	return Ports{ranges: merged}
}

// Contains tells whether port is in the set.
func (p Ports) Contains(port uint16) bool {
	for _, r := range p.ranges {
		if port <= r.last {
			return port >= r.first
		}
	}
	return false
}

// IsZero tells that no ports are set, so that a rule does not look at ports.
func (p Ports) IsZero() bool { return len(p.ranges) == 0 }

// String is the shortest text that ParsePorts reads back to the same set.
func (p Ports) String() string {
	items := make([]string, 0, len(p.ranges))
	for _, r := range p.ranges {
		item := strconv.Itoa(int(r.first))
		if r.last != r.first {
			item += "-" + strconv.Itoa(int(r.last))
		}
		items = append(items, item)
	}
	return strings.Join(items, ",")
}

// MarshalYAML prints one port as a number and all else as String does.
func (p Ports) MarshalYAML() (any, error) {
	if len(p.ranges) == 1 && p.ranges[0].first == p.ranges[0].last {
		return p.ranges[0].first, nil
	}
	return p.String(), nil
}

// covers tells that every port of other is in p.
func (p Ports) covers(other Ports) bool {
	for _, r := range other.ranges {
		// Merged ranges have gaps between them: r must lie in a single one.
		if !slices.ContainsFunc(p.ranges, func(o portRange) bool { return o.first <= r.first && r.last <= o.last }) {
			return false
		}
	}
	return true
}
