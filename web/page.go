package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page is made of files
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strconv"

	"sonde_exporter/amount"
	"sonde_exporter/status"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// newStatusPage returns the handler of the page at /. It needs no script, and
// loads nothing.
func newStatusPage(opts Options) (http.Handler, error) {
	page, err := template.New("page").Funcs(pageFunctions()).Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("the status page cannot be built: %w", err)
	}
	policy := contentPolicy(pageCSS)
	shelf := newShelf(opts.Status)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isRead(r) {
			w.Header().Set("Allow", "GET, HEAD")
			writeLine(w, http.StatusMethodNotAllowed, "The status page is only for reading.")
			return
		}
		order := orderOf(r.URL.Query().Get("sort"))
		body, err := shelf.get(r.Context(), string(order), func(s *status.Status) ([]byte, error) {
			var body bytes.Buffer
			err := page.Execute(&body, pageData{
				Status: s, Services: sorted(s.Services, order), Order: order,
				Metrics: "." + opts.TelemetryPath, Style: template.CSS(pageCSS),
			})
			return body.Bytes(), err
		})
		if err != nil {
			opts.Logger.Error("the status page cannot be shown", "err", err)
			writeLine(w, http.StatusServiceUnavailable, "The status cannot be read now; the log tells why.")
			return
		}
		header := w.Header()
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("Content-Security-Policy", policy)
		header.Set("Referrer-Policy", "no-referrer")
		protect(header)
		_, _ = w.Write(body)
	}), nil
}

// protect sets the headers that every answer about the status has.
func protect(header http.Header) {
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
}

func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// contentPolicy allows the page its own style and its icon, and nothing else.
func contentPolicy(style string) string {
	hash := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
		"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// pageData is what the page shows.
type pageData struct {
	*status.Status
	Services []status.Service // in order
	Order    order
	Metrics  string // relative, so that a proxy may put the page anywhere
	Style    template.CSS
}

// column is a heading that sorts.
type column struct {
	Key, Title, Order, Arrow string
}

func pageFunctions() template.FuncMap {
	return template.FuncMap{
		"words":       status.DurationWords,
		"time":        formatTime,
		"count":       count,
		"plural":      func(n any, one, many string) string { return amount.Of(whole(n), one, many) },
		"rate":        formatRate,
		"percent":     formatPercent,
		"megabytes":   formatMegabytes,
		"share":       optional(formatPercent),
		"seconds":     optional(formatSeconds),
		"nanoseconds": optional(func(ns float64) string { return amount.Grouped(uint64(ns+0.5)) + noBreak + "ns" }),
		"fill":        func(m status.Map) string { return formatPercent(float64(m.Entries) / max(1, float64(m.MaxEntries))) },
		"column":      newColumn,
		"served":      served,
		"calls":       calls,
		"rows":        rows,
		"called":      called,
		"processes":   processes,
		"ports":       ports,
		"gap":         gap,
		"collectors":  collectors,
		"lost":        lost,
		"lossOf":      lossOf,
	}
}

func newColumn(data pageData, key, title string) column {
	c := column{Key: key, Title: title}
	switch {
	case string(data.Order) != key:
	case data.Order == byName:
		c.Order, c.Arrow = "ascending", "↑"
	default:
		c.Order, c.Arrow = "descending", "↓"
	}
	return c
}

func whole(n any) uint64 {
	value, err := strconv.ParseUint(fmt.Sprint(n), 10, 64)
	if err != nil {
		return 0
	}
	return value
}

func count(n any) string { return amount.Grouped(whole(n)) }
