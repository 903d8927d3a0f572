// Package preflight tells what this machine offers to Sonde, as a table: what is
// there, what is missing, and what to do about it.
//
// [Gather] looks and tries; [New] judges what it found, without looking at
// anything, so that every machine can be made up in a test.
package preflight

import "slices"

// State is how it stands with one item.
type State string

// The states.
const (
	OK        State = "ok"
	Missing   State = "missing"    // what needs it does not work
	Limited   State = "limited"    // it works in part
	NotTried  State = "not tried"  // it may be there: what is missing elsewhere comes first
	NotNeeded State = "not needed" // it is only told
)

// Row is one item.
type Row struct {
	Item   string
	State  State
	Says   string
	Remedy string // empty if there is nothing to do, or another row says it
	// IsVital says that nothing is measured while the item is missing.
	IsVital bool
}

// isLacking says that the item does not work, or is not known to.
func (row Row) isLacking() bool { return row.State == Missing || row.State == NotTried }

// Group is rows under a heading.
type Group struct {
	Title string
	Rows  []Row
}

// Report is the whole table.
type Report struct {
	Groups []Group
}

// New judges the facts.
func New(f Facts) Report {
	groups := []Group{
		{"Kernel", f.kernelRows()},
		{"Process", f.processRows()},
		{"Hooks, each of them tried", f.hookRows()},
		{"Memory", f.memoryRows()},
		{"Configuration", f.configRows()},
	}
	return Report{append(groups, Group{"Taps", f.tapRows(Report{groups}.Works())})}
}

// Works says that the main job can be done: to measure HTTP on the wire.
func (r Report) Works() bool {
	return !r.has(func(row Row) bool { return row.isLacking() && row.IsVital })
}

// isWhole says that nothing is worth a second look.
func (r Report) isWhole() bool {
	return !r.has(func(row Row) bool { return row.isLacking() || row.State == Limited })
}

func (r Report) has(wanted func(Row) bool) bool {
	return slices.ContainsFunc(r.Groups, func(g Group) bool { return slices.ContainsFunc(g.Rows, wanted) })
}

// Verdict is the last line.
func (r Report) Verdict() string {
	switch {
	case !r.Works():
		return "Sonde cannot run here until what is missing is there."
	case !r.isWhole():
		return "Sonde can run here, with the limits that are told above."
	}
	return "Sonde can run here."
}
