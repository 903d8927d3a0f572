package netlab

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestNewRefusesImpairmentOutOfRange(t *testing.T) {
	for name, test := range map[string]struct {
		impairment Impairment
		want       []string
	}{
		"loss above one":     {Impairment{Loss: 1.01}, []string{"Loss is 1.01"}},
		"duplicate negative": {Impairment{Duplicate: -0.1}, []string{"Duplicate is -0.1"}},
		"reorder not number": {Impairment{Reorder: math.NaN()}, []string{"Reorder is NaN"}},
		"gap negative":       {Impairment{ReorderGap: -1}, []string{"ReorderGap is -1"}},
		"limit negative":     {Impairment{HoldLimit: -time.Second}, []string{"HoldLimit is -1s"}},
		"delay negative":     {Impairment{Delay: -time.Second}, []string{"Delay is -1s"}},
		"two at once":        {Impairment{Loss: 2, Delay: -1}, []string{"Loss is 2", "Delay is -1ns"}},
	} {
		t.Run(name, func(t *testing.T) {
			lab, err := New(test.impairment)
			if err == nil {
				t.Fatalf("New accepted %+v; closing it gives %v", test.impairment, lab.Close())
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

func TestImpairmentAcceptsItsBounds(t *testing.T) {
	for _, impairment := range []Impairment{{}, {Loss: 1, Duplicate: 1, Reorder: 1}} {
		if err := impairment.validate(); err != nil {
			t.Errorf("%+v: %v", impairment, err)
		}
	}
}
