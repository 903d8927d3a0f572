package web

import (
	"cmp"
	"slices"

	"sonde_exporter/status"
)

// order is what the services are sorted by.
type order string

// The orders; all but the names are from high to low.
const (
	byName   order = "name"
	byRate   order = "rate"
	byErrors order = "errors"
	byP50    order = "p50"
	byP95    order = "p95"
	byP99    order = "p99"
)

// orderOf reads an order. The busiest service comes first unless asked otherwise.
func orderOf(text string) order {
	switch o := order(text); o {
	case byName, byErrors, byP50, byP95, byP99:
		return o
	}
	return byRate
}

// sorted returns services in order, and those alike by name.
func sorted(services []status.Service, by order) []status.Service {
	services = slices.Clone(services)
	slices.SortFunc(services, func(a, b status.Service) int {
		descending := 0
		if by != byName {
			descending = cmp.Compare(weight(b, by), weight(a, by))
		}
		return cmp.Or(descending, cmp.Compare(a.Name, b.Name), cmp.Compare(a.Namespace, b.Namespace))
	})
	return services
}

// weight is the value that counts: of the requests that a service answers, or of
// those that it makes if it answered none. It is negative if there is none.
func weight(service status.Service, by order) float64 {
	requests := service.Server
	if requests == nil || requests.InWindow == 0 {
		requests = service.Client
	}
	if requests == nil {
		return -1
	}
	value := map[order]*float64{
		byRate: &requests.PerSecond, byErrors: requests.ErrorRatio, byP50: requests.P50, byP95: requests.P95, byP99: requests.P99,
	}[by]
	if value == nil {
		return -1
	}
	return *value
}
