package status

import (
	"time"

	"sonde_exporter/discovery"
	"sonde_exporter/series"
)

// addRequests tells of each service what it did in both roles.
func (b *builder) addRequests(now, recent sample) {
	for i := range b.Services {
		service := &b.Services[i]
		id := discovery.Service{Name: service.Name, Namespace: service.Namespace}
		seconds := b.secondsSince(recent.appeared[id])
		requests := func(role series.Role) *Requests {
			return b.requests(now.requests[party{id, role}], recent.requests[party{id, role}], seconds)
		}
		service.Server, service.Client = requests(series.Server), requests(series.Client)
	}
}

// secondsSince is how much of the window a service has been there. It takes a
// second to tell how much is done in one.
func (b *builder) secondsSince(appeared time.Time) float64 {
	return min(b.Window.Seconds, max(1, b.Time.Sub(appeared).Seconds()))
}

func (b *builder) requests(total, recent tally, seconds float64) *Requests {
	r := &Requests{
		Total: total.count(), ErrorsTotal: total.errors,
		WindowSeconds: seconds, InWindow: recent.count(), ErrorsInWindow: recent.errors,
	}
	r.PerSecond = rate(float64(r.InWindow), seconds)
	if r.InWindow == 0 {
		return r
	}
	ratio := float64(r.ErrorsInWindow) / float64(r.InWindow)
	r.ErrorRatio = &ratio
	for q, value := range map[float64]**float64{0.5: &r.P50, 0.95: &r.P95, 0.99: &r.P99} {
		seconds := quantile(b.Table, q, recent)
		*value = &seconds
	}
	return r
}

// rate is an amount per second; in no time at all nothing is known.
func rate(amount, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return amount / seconds
}
