package tlstap

import "time"

// Bounds of a pause.
const (
	minPause = time.Second
	maxPause = time.Minute
)

// pause is the time to wait before something is tried again. It doubles each
// time. The zero value is over.
type pause struct {
	until  time.Time
	length time.Duration
}

func (p *pause) extend(now time.Time) {
	p.length = min(max(2*p.length, minPause), maxPause)
	p.until = now.Add(p.length)
}

func (p *pause) over(now time.Time) bool { return !now.Before(p.until) }
