package web

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// enough is the contrast of text that WCAG 2 asks for at level AA.
const enough = 4.5

// TestContrast: text can be read on its background, in both themes.
func TestContrast(t *testing.T) {
	light, rest, _ := strings.Cut(pageCSS, "@media (prefers-color-scheme: dark)")
	dark, _, _ := strings.Cut(rest, "* { box-sizing")
	for theme, css := range map[string]string{"light": light, "dark": dark} {
		colors := map[string]float64{}
		for _, match := range regexp.MustCompile(`--(\w+): #([0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
			colors[match[1]] = luminance(t, match[2])
		}
		for _, pair := range [][2]string{
			{"text", "page"}, {"muted", "page"}, {"link", "page"}, {"good", "page"}, {"bad", "page"}, {"text", "notice"},
		} {
			text, isText := colors[pair[0]]
			ground, isGround := colors[pair[1]]
			if !isText || !isGround {
				t.Fatalf("the %s theme has no color %s or %s", theme, pair[0], pair[1])
			}
			contrast := (max(text, ground) + 0.05) / (min(text, ground) + 0.05)
			if contrast < enough {
				t.Errorf("%s on %s has a contrast of %.2f in the %s theme, want %v", pair[0], pair[1], contrast, theme, enough)
			}
		}
	}
}

// luminance is the relative luminance of WCAG 2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		channel, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		value := float64(channel) / 255
		if value <= 0.04045 {
			value /= 12.92
		} else {
			value = math.Pow((value+0.055)/1.055, 2.4)
		}
		sum += weight * value
	}
	return sum
}
