package web

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"

	toolkit "github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v3"
)

// Site is where the web server can be reached from now on.
type Site struct {
	URL       string // without a path
	TLS       bool
	BasicAuth bool
}

func siteAt(address net.Addr, protection protection) Site {
	site := Site{TLS: protection.hasTLS, BasicAuth: protection.hasUsers}
	scheme := "http"
	if site.TLS {
		scheme = "https"
	}
	site.URL = fmt.Sprintf("%s://%s", scheme, address)
	return site
}

// protection is what the web configuration file switches on.
type protection struct {
	hasTLS, hasUsers bool
}

// readProtection reads as much of the file as it takes to tell. The toolkit has
// found it valid already.
func readProtection(flags *toolkit.FlagConfig) protection {
	content, err := os.ReadFile(*flags.WebConfigFile)
	if err != nil {
		return protection{}
	}
	var file struct {
		TLS struct {
			CertFile string `yaml:"cert_file"`
			Cert     string `yaml:"cert"`
		} `yaml:"tls_server_config"`
		Users map[string]any `yaml:"basic_auth_users"`
	}
	if yaml.Unmarshal(content, &file) != nil {
		return protection{}
	}
	return protection{hasTLS: file.TLS.CertFile != "" || file.TLS.Cert != "", hasUsers: len(file.Users) > 0}
}

// quiet makes debug lines of the toolkit's info lines: Sonde says by itself where
// it listens, in one line.
func quiet(logger *slog.Logger) *slog.Logger { return slog.New(quietHandler{logger.Handler()}) }

type quietHandler struct{ slog.Handler }

// Enabled implements slog.Handler.
func (q quietHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return q.Handler.Enabled(ctx, muted(level))
}

// Handle implements slog.Handler.
func (q quietHandler) Handle(ctx context.Context, record slog.Record) error {
	record.Level = muted(record.Level)
	return q.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (q quietHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quietHandler{q.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (q quietHandler) WithGroup(name string) slog.Handler {
	return quietHandler{q.Handler.WithGroup(name)}
}

func muted(level slog.Level) slog.Level {
	if level == slog.LevelInfo {
		return slog.LevelDebug
	}
	return level
}
