package amount

import "testing"

func TestAmounts(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Grouped(0), "0"}, {Grouped(999), "999"}, {Grouped(1000), "1,000"}, {Grouped(18446744073709551615), "18,446,744,073,709,551,615"},
		{Of(0, "rule", "rules"), "0 rules"}, {Of(1, "rule", "rules"), "1 rule"}, {Of(2, "rule", "rules"), "2 rules"},
		{Of(uint64(1234), "rule", "rules"), "1,234 rules"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
