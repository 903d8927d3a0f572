package status

import (
	"time"

	"sonde_exporter/probe"
)

const (
	// interval is the time from one sample to the next.
	interval = time.Minute
	// intervals is how many whole ones a window has, besides the one under way.
	intervals = 4
)

// sample is what had been counted at one time; or, as an increase, what was
// counted from that time on.
type sample struct {
	at       time.Time
	requests map[party]tally
	appeared appearances // of an increase: of those whose requests it has
	programs map[string]probe.ProgramStats
	cpu      time.Duration // of Sonde's own process
}

func newSample(at time.Time, cpu time.Duration) sample {
	return sample{at: at, requests: map[party]tally{}, appeared: appearances{}, programs: map[string]probe.ProgramStats{}, cpu: cpu}
}

// since is the increase from an earlier sample to this one. Who is not in the
// earlier one began from nothing.
func (s sample) since(earlier sample) sample {
	increase := newSample(earlier.at, s.cpu-earlier.cpu)
	for party, now := range s.requests {
		if grown := now.since(earlier.requests[party]); len(grown.slots) > 0 {
			increase.requests[party] = grown
			// Some may be of an instance that was there before, and is no more.
			increase.appeared.addOne(party.service, earlier.appeared)
			increase.appeared.addOne(party.service, s.appeared)
		}
	}
	for name, now := range s.programs {
		before := earlier.programs[name]
		if now.Runs >= before.Runs && now.Time >= before.Time {
			now.Runs -= before.Runs
			now.Time -= before.Time
		}
		increase.programs[name] = now
	}
	return increase
}

// add adds another increase.
func (s *sample) add(other sample) {
	for party, more := range other.requests {
		s.requests[party] = s.requests[party].plus(more)
	}
	s.appeared.addAll(other.appeared)
	for name, more := range other.programs {
		sum := s.programs[name]
		more.Runs += sum.Runs
		more.Time += sum.Time
		s.programs[name] = more
	}
	s.cpu += other.cpu
}

// history is what was counted in each of the last minutes. It keeps increases:
// an idle service takes no room, and one that began anew in between is still
// counted right.
type history struct {
	last      sample
	increases []sample // the oldest first
	origin    string   // what made it begin, as long as it reaches back to there
}

func newHistory(first sample, origin string) history {
	return history{last: first, origin: origin}
}

// note takes in the sample that ends an interval.
func (h *history) note(now sample) {
	h.increases = append(h.increases, now.since(h.last))
	if len(h.increases) > intervals {
		h.increases = append([]sample(nil), h.increases[1:]...) // lets go of the oldest
		h.origin = SinceSample
	}
	h.last = now
}

// window is the increase from the oldest time that is kept until now. It also
// knows when idle services appeared.
func (h *history) window(now sample) sample {
	sum := now.since(h.last)
	if len(h.increases) > 0 {
		sum.at = h.increases[0].at
	}
	for _, increase := range h.increases {
		sum.add(increase)
	}
	sum.appeared.addAll(now.appeared)
	return sum
}
