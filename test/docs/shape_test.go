package docs

import "testing"

// TestCompareShape: numbers and dots may differ, nothing else.
func TestCompareShape(t *testing.T) {
	const printed = "header\nsonde_up{a=\"b\",c=\"d\"} 12.5\n\nOpen http://127.0.0.1:19101/\n"
	for shown, same := range map[string]bool{
		"header\n":                true,
		"sonde_up{…,c=\"d\"} 3\n": true,
		"sonde_up{a=\"b\",c=\"d\"}   4\n…\nOpen http://127.0.0.1:19100/\n": true,
		"Open http://127.0.0.1:19100/\nheader\n":                           false,
		"sonde_up{…,c=\"e\"} 3\n":                                          false,
		"head\n":                                                           false,
		"sonde_up{a=\"b\",c=\"d\"} …\n":                                    true,
	} {
		if err := compareShape(shown, printed); (err == nil) != same {
			t.Errorf("shown:\n%s\ngot: %v, want same shape: %v", shown, err, same)
		}
	}
}

// TestCompareItems: of a table only the first column counts.
func TestCompareItems(t *testing.T) {
	const printed = "Kernel\n  Linux       limited     5.4\n  BTF         ok\n"
	for shown, same := range map[string]bool{
		"Kernel\n  Linux       ok     6.1\n                rest of it\n": true,
		"  BTF  missing\n":  true,
		"  BTG  missing\n":  false,
		"  Kernel  ok\n":    false,
		"Kernel\nBTF  ok\n": true,
	} {
		if err := compareItems(shown, printed); (err == nil) != same {
			t.Errorf("shown:\n%s\ngot: %v, want same items: %v", shown, err, same)
		}
	}
}
