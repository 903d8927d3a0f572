package main

import "slices"

// arm is one side of a comparison.
type arm int

const (
	without arm = iota // Sonde does not run
	with               // Sonde runs, with default settings; or a way to do something is tried
	untimed            // Sonde runs, but the kernel does not time its programs
)

// arms are all sides, in the order of a round.
var arms = [...]arm{without, with, untimed}

// flags are those with which Sonde runs on a side.
func (a arm) flags() []string {
	if a == untimed {
		return []string{"--no-collector.program"}
	}
	return nil
}

// quantity is something that is measured once in each round.
type quantity struct {
	part    string // one of the parts of the table
	subject string // who bears the cost
	measure string
	unit    string
}

// record keeps all values, in the order in which quantities first appear.
type record struct {
	order  []quantity
	values map[quantity]*[len(arms)][]float64
	goals  map[quantity]judge
	bases  map[quantity]quantity
}

// judge says whether a row reaches its goal.
type judge func(Row) Goal

func newRecord() *record {
	return &record{values: map[quantity]*[len(arms)][]float64{}, goals: map[quantity]judge{}, bases: map[quantity]quantity{}}
}

// add files the value of one round.
func (r *record) add(q quantity, a arm, value float64) {
	if r.values[q] == nil {
		r.values[q] = &[len(arms)][]float64{}
		r.order = append(r.order, q)
	}
	r.values[q][a] = append(r.values[q][a], value)
}

// aim sets the goal of a quantity.
func (r *record) aim(q quantity, goal judge) { r.goals[q] = goal }

// relate makes the ratio of a quantity one to another quantity, where there are
// no sides, but several ways to do the same.
func (r *record) relate(q, base quantity) { r.bases[q] = base }

// rows folds the rounds. What is of one subject stands together.
func (r *record) rows() []Row {
	type heading struct{ part, subject string }
	place := map[heading]int{}
	for _, q := range r.order {
		if h := (heading{q.part, q.subject}); place[h] == 0 {
			place[h] = len(place) + 1
		}
	}
	sorted := slices.Clone(r.order)
	slices.SortStableFunc(sorted, func(a, b quantity) int {
		return place[heading{a.part, a.subject}] - place[heading{b.part, b.subject}]
	})
	rows := make([]Row, 0, len(sorted))
	for _, q := range sorted {
		rows = append(rows, r.row(q))
	}
	return rows
}

func (r *record) row(q quantity) Row {
	values := r.values[q]
	row := Row{
		Part: q.part, Subject: q.subject, Measure: q.measure, Unit: q.unit,
		Without: spreadOf(values[without]), With: spreadOf(values[with]),
		Untimed: spreadOf(values[untimed]),
		Ratio:   spreadOf(ratios(values[with], values[without])), UntimedRatio: spreadOf(ratios(values[untimed], values[without])),
	}
	if base, ok := r.bases[q]; ok && base != q && r.values[base] != nil {
		row.Ratio = spreadOf(ratios(values[with], r.values[base][with]))
	}
	if goal := r.goals[q]; goal != nil {
		verdict := goal(row)
		row.Goal = &verdict
	}
	return row
}
