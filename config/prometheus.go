package config

import "strings"

// Prometheus is what a file of Beyla says of the place of the metrics. Flags and
// variables of the web server outrank it; they are no part of the configuration.
type Prometheus struct {
	// Port is where Sonde listens, on every address; 0 leaves it open.
	Port int `yaml:"port,omitempty"`
	// Path is where the metrics are; empty leaves it open.
	Path string `yaml:"path,omitempty"`
}

// prometheusDraft is a Prometheus in the making.
type prometheusDraft struct {
	port located[int]
	path located[string]
}

func (d *prometheusDraft) settings() []setting {
	return []setting{{name: "port", value: number(&d.port)}, {name: "path", value: word(&d.path)}}
}

// prometheus reports what cannot be listened on.
func (d *prometheusDraft) prometheus(p *problems) Prometheus {
	if port := d.port.value; port < 0 || port > 65535 {
		p.tell(d.port.at, "is %d, which does not exist; ports are 1 to 65535", port)
	}
	if path := d.path.value; path != "" && !strings.HasPrefix(path, "/") {
		p.tell(d.path.at, "must begin with a slash; write %s", quote("/"+path))
	}
	return Prometheus{Port: d.port.value, Path: d.path.value}
}
