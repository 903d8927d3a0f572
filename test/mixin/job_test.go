package mixin

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestJob: whoever scrapes Sonde by what this repository has for it, and loads the mixin
// as it is, gets alerts and rules that have data.
func TestJob(t *testing.T) {
	var selected string
	for _, r := range render(t, "").alerts.rules() {
		if r.Alert == "SondeDown" {
			selected = strings.TrimSuffix(strings.TrimPrefix(r.Expr, "up{"), "} == 0")
		}
	}
	var example struct {
		Scrapes []struct {
			Job string `yaml:"job_name"`
		} `yaml:"scrape_configs"`
	}
	readYAML(t, filepath.Join(root(t), "examples", "prometheus", "prometheus.yml"), &example)
	jobs := map[string]string{
		"examples/prometheus": example.Scrapes[0].Job,
		"service-monitor":     monitorJob(t, "service-monitor"),
		"pod-monitor":         monitorJob(t, "pod-monitor"),
	}
	for scraper, job := range jobs {
		if want := `job="` + job + `"`; selected != want {
			t.Errorf("%s scrapes with %s, but the mixin selects %s", scraper, want, selected)
		}
	}
}

// monitorJob is the job that Prometheus Operator gives to what a component of
// Kubernetes scrapes; empty if that is left to the Operator.
func monitorJob(t *testing.T, component string) (job string) {
	t.Helper()
	type endpoint struct {
		Relabelings []struct {
			TargetLabel  string   `yaml:"targetLabel"`
			Replacement  string   `yaml:"replacement"`
			SourceLabels []string `yaml:"sourceLabels"`
		}
	}
	var monitor struct {
		Spec struct {
			Endpoints           []endpoint `yaml:"endpoints"`
			PodMetricsEndpoints []endpoint `yaml:"podMetricsEndpoints"`
		}
	}
	readYAML(t, filepath.Join(root(t), "packaging", "kubernetes", "components", component, component+".yaml"), &monitor)
	for _, e := range append(monitor.Spec.Endpoints, monitor.Spec.PodMetricsEndpoints...) {
		for _, relabeling := range e.Relabelings {
			if relabeling.TargetLabel == "job" && len(relabeling.SourceLabels) == 0 {
				job = relabeling.Replacement
			}
		}
	}
	return job
}
