package mixin

import (
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// measured takes an alert's expression apart into the values that it looks at: the
// sides of `and`, `or` and `unless`, without comparisons, absent(), offset, and what adds
// up the rest that `unless` leaves, and with short subqueries. They have data in a healthy system as well.
func measured(t *testing.T, expr string) []string {
	t.Helper()
	parsed, err := parser.ParseExpr(expr)
	if err != nil {
		t.Fatalf("%v in %s", err, expr)
	}
	var parts []string
	for _, part := range split(parsed) {
		parser.Inspect(part, func(node parser.Node, _ []parser.Node) error {
			switch n := node.(type) {
			case *parser.VectorSelector:
				n.OriginalOffset = 0
			case *parser.SubqueryExpr: // a young Prometheus has no data at round minutes
				n.Range, n.Step = time.Minute, time.Second
			}
			return nil
		})
		parts = append(parts, part.String())
	}
	return parts
}

func split(expr parser.Expr) []parser.Expr {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return split(e.Expr)
	case *parser.Call:
		if e.Func.Name == "absent" {
			return split(e.Args[0])
		}
	case *parser.AggregateExpr:
		if inner, ok := e.Expr.(*parser.BinaryExpr); ok && inner.Op == parser.LUNLESS {
			return split(inner)
		}
	case *parser.BinaryExpr:
		if e.Op.IsSetOperator() {
			return append(split(e.LHS), split(e.RHS)...)
		}
		if _, constant := e.RHS.(*parser.NumberLiteral); constant && e.Op.IsComparisonOperator() {
			return split(e.LHS)
		}
	}
	return []parser.Expr{expr}
}

// TestMeasured: the tests of alerts rest on it.
func TestMeasured(t *testing.T) {
	for expr, want := range map[string][]string{
		`up{job="a"} == 0`:                               {`up{job="a"}`},
		`absent(up{job="a"})`:                            {`up{job="a"}`},
		`(a > 1 and b > 1) and avg_over_time(c[1h]) > 2`: {`a`, `b`, `avg_over_time(c[1h])`},
		`a > 0 or (a > 0 unless a offset 5m)`:            {`a`, `a`, `a`},
		`sum((a) unless topk(1, b))`:                     {`a`, `topk(1, b)`},
		`sum_over_time(a[3d:5m]) > 1`:                    {`sum_over_time(a[1m:1s])`},
		`a / (b > 0) > 0.5`:                              {`a / (b > 0)`},
	} {
		got := measured(t, expr)
		if len(got) != len(want) {
			t.Errorf("%s looks at %q, want %q", expr, got, want)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s looks at %q, want %q", expr, got, want)
			}
		}
	}
}
