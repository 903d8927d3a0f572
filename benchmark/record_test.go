package main

import (
	"bytes"
	"strings"
	"testing"
)

// twoRounds has one quantity with both sides, and one with one.
func twoRounds() *record {
	rec := newRecord()
	speed := quantity{"request", "nginx", "throughput", "requests/s"}
	tail := quantity{"request", "nginx", "p99", "µs"}
	other := quantity{"memory", "1000 series", "resident", "MB"}
	for _, value := range []float64{100, 300} {
		rec.add(speed, without, value)
		rec.add(other, with, value/10)
		rec.add(speed, with, value/2)
		rec.add(speed, untimed, value*2)
		rec.add(tail, without, value)
		rec.add(tail, with, value+50)
	}
	rec.aim(tail, withinNoise)
	rec.aim(other, atMost(15))
	return rec
}

func TestRowsStandTogether(t *testing.T) {
	rows := twoRounds().rows()
	var order []string
	for _, row := range rows {
		order = append(order, row.Measure)
	}
	if got := strings.Join(order, " "); got != "throughput p99 resident" {
		t.Errorf("the rows are %s, want what is of nginx together", got)
	}
	if ratio := rows[0].Ratio; ratio == nil || *ratio != (Spread{0.5, 0.5, 0.5}) {
		t.Errorf("the ratio is %v, want 0.5", ratio)
	}
	if rows[2].Without != nil || rows[2].Ratio != nil {
		t.Errorf("one side is compared with %v", rows[2].Without)
	}
}

func TestGoals(t *testing.T) {
	rows := twoRounds().rows()
	if goal := rows[1].Goal; goal == nil || !goal.Met {
		t.Errorf("a median of 250 is not within the noise of 100 to 300: %v", goal)
	}
	if goal := rows[2].Goal; goal == nil || goal.Met || goal.String() != "≤ 15.0 MB: **missed**" {
		t.Errorf("a median of 20 for at most 15 is %v", goal)
	}
	if got := withinNoise(Row{With: &Spread{Median: 301}, Without: &Spread{100, 90, 300}}); got.Met {
		t.Error("a median above the worst round without Sonde counts as noise")
	}
}

func TestRelate(t *testing.T) {
	rec := newRecord()
	kept := quantity{partStorage, "kept", "an observation", "ns"}
	other := quantity{partStorage, "other", "an observation", "ns"}
	for _, value := range []float64{10, 20, 30} {
		rec.add(kept, with, value)
		rec.add(other, with, 2*value)
	}
	rec.relate(other, kept)
	rec.relate(kept, kept)
	const want = "\n" + waysHead +
		"| storage | kept | an observation, ns | 20.0 (10.0–30.0) |  |\n" +
		"| storage | other | an observation, ns | 40.0 (20.0–60.0) | 2.00 |\n"
	if got := tables(rec.rows()); got != want {
		t.Errorf("printed:\n%s\nwant:\n%s", got, want)
	}
}

func TestMarkdown(t *testing.T) {
	var out bytes.Buffer
	report := Report{Kernel: "6.12", CPUs: 2, Rounds: 2, Seconds: 1, Rows: twoRounds().rows()}
	if err := report.writeMarkdown(&out); err != nil {
		t.Fatal(err)
	}
	const want = "| request | nginx | throughput, requests/s | 200 (100–300) | 100 (50.0–150) | 0.500 | 2.00 |  |\n" +
		"| request | nginx | p99, µs | 200 (100–300) | 250 (150–350) | 1.33 (1.17–1.50) |  | within noise: met |\n" +
		"| memory | 1000 series | resident, MB |  | 20.0 (10.0–30.0) |  |  | ≤ 15.0 MB: **missed** |\n"
	if !strings.HasSuffix(out.String(), tableHead+want) {
		t.Errorf("printed:\n%s\nwant at the end:\n%s", out.String(), want)
	}
	if strings.Contains(out.String(), "other Sonde") {
		t.Error("it tells of a neighbour that is not there")
	}
}
