package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"syscall"

	"sonde_exporter/test/harness"
)

// reloadSucceeded is 1 if the configuration in force is the one in the file.
const reloadSucceeded = "sonde_config_last_reload_successful"

// chosen selects the programs of this run. What else runs on the machine must
// neither use up the limits nor be the cause of a loss.
const chosen = `
discovery:
  services:
    - executable_name: ^%s/
    - open_port: [%d, %d]
`

// plainRoutes are in force at the beginning and at the end.
const plainRoutes = `
routes:
  patterns: ["/users/{id}", "/bytes/*"]
`

// otherRoutes hides the service on a port, and names routes in another way.
const otherRoutes = `
  exclude:
    - open_port: [%d]
routes:
  patterns: ["/up/{what}", "/sleep/{ms}"]
`

// badConfig has a key that does not exist.
const badConfig = `
routes:
  paterns: ["/users/{id}"]
`

func (l *load) chosen() string {
	return fmt.Sprintf(chosen, regexp.QuoteMeta(filepath.Dir(l.programs.GoServer)), l.cast.front.Port, l.cast.proxy.Port)
}

func (l *load) plainConfig() string { return l.chosen() + plainRoutes }

func (l *load) otherConfig() string {
	return l.chosen() + fmt.Sprintf(otherRoutes, l.cast.toggled.Port)
}

// reload returns an act that changes the configuration, by turns to a good one
// and to a bad one, by POST and by SIGHUP.
func (l *load) reload() func(context.Context, *scope) {
	configs := []string{l.otherConfig(), badConfig, l.plainConfig(), badConfig}
	turn := 0
	return func(_ context.Context, sc *scope) {
		content, signal := configs[turn%len(configs)], turn/len(configs)%2 == 1
		turn++
		l.reloadTo(sc, content, signal)
	}
}

// reloadTo puts a configuration in force and waits until the exporter says
// whether it has taken it.
func (l *load) reloadTo(sc *scope, content string, signal bool) {
	l.writeConfig(sc, content)
	good := content != badConfig
	if signal {
		if err := l.exporter.Signal(syscall.SIGHUP); err != nil {
			sc.Fatalf("the exporter takes no signal: %v", err)
		}
	} else {
		code, said := l.exporter.Post(sc, "/-/reload")
		if (code == http.StatusOK) != good {
			sc.Fatalf("a reload was answered with %d: %s", code, said)
		}
	}
	want := 0.0
	if good {
		want = 1
	}
	l.exporter.Eventually(sc, fmt.Sprintf("%s = %g", reloadSucceeded, want), func(s harness.Snapshot) bool {
		return s.Value(reloadSucceeded, nil) == want
	})
	if good {
		l.goodReloads.Add(1)
		return
	}
	l.badReloads.Add(1)
}

// writeConfig replaces the file at once, as an editor does: the exporter must
// not see half of it.
func (l *load) writeConfig(sc *scope, content string) {
	next := l.exporter.ConfigFile + ".next"
	err := os.WriteFile(next, []byte(content), 0o600)
	if err == nil {
		err = os.Rename(next, l.exporter.ConfigFile)
	}
	if err != nil {
		sc.Fatalf("cannot write a configuration: %v", err)
	}
}
