package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"sonde_exporter/test/harness"
)

// TestStatusPage: what the status page and its API say about a host.
func TestStatusPage(t *testing.T) {
	s := playScene(t)
	t.Run("browser", func(t *testing.T) { lookAt(t, s) })
}

func lookAt(t *testing.T, s scene) {
	browser := harness.StartBrowser(t, s.Exporter)
	for name, view := range map[string]harness.View{
		"light":       {Width: 1280, Height: 800},
		"dark":        {Width: 1280, Height: 800, Dark: true},
		"phone":       {Width: 360, Height: 740},
		"phone, dark": {Width: 360, Height: 740, Dark: true},
		"tall":        {Width: 1280, Height: 1900},
		"phone, tall": {Width: 360, Height: 3400},
		"tablet":      {Width: 820, Height: 1180},
	} {
		t.Run(name, func(t *testing.T) {
			sight := browser.Look(t, "/", view)
			for _, complaint := range sight.Complaints {
				t.Errorf("Chromium says: %s", complaint)
			}
			if sight.Overflow > 0 || len(sight.TooWide) > 0 {
				t.Errorf("the page is %d pixels too wide; %q stick out", sight.Overflow, sight.TooWide)
			}
			if dir := os.Getenv("SONDE_SCREENSHOTS"); dir != "" {
				sight.Save(t, filepath.Join(dir, "status-"+name+".png"))
			}
		})
	}
}
