package status

import (
	"time"

	"sonde_exporter/discovery"
)

// appearances are the times when services appeared. A service that was there
// before Sonde, or of which it is not known, has the zero time.
type appearances map[discovery.Service]time.Time

// appearancesOf goes by the oldest instance of each service. One that ended counts
// as long as it is kept: it may have had most of the requests.
func appearancesOf(instances []discovery.Instance) appearances {
	all := appearances{}
	for _, instance := range instances {
		if instance.Selected {
			all.add(instance.Service(), instance.Appeared)
		}
	}
	return all
}

// add keeps the earlier time.
func (a appearances) add(service discovery.Service, at time.Time) {
	if known, exists := a[service]; !exists || at.Before(known) {
		a[service] = at
	}
}

// addOne adds when a service appeared if others know that.
func (a appearances) addOne(service discovery.Service, others appearances) {
	if at, known := others[service]; known {
		a.add(service, at)
	}
}

func (a appearances) addAll(others appearances) {
	for service, at := range others {
		a.add(service, at)
	}
}
