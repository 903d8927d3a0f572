package status

import (
	"time"
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
	programs map[string]spent
	cpu      time.Duration // of Sonde's own process
}

// spent is the cost of a BPF program.
type spent struct {
	runs uint64
	time time.Duration
}

// since is the increase from an earlier sample to this one. Who is not in the
// earlier one began from nothing.
func (s sample) since(earlier sample) sample {
	increase := sample{at: earlier.at, requests: map[party]tally{}, programs: map[string]spent{}, cpu: s.cpu - earlier.cpu}
	for party, now := range s.requests {
		if grown := now.since(earlier.requests[party]); len(grown.slots) > 0 {
			increase.requests[party] = grown
		}
	}
	for program, now := range s.programs {
		before := earlier.programs[program]
		if now.runs >= before.runs && now.time >= before.time {
			now = spent{now.runs - before.runs, now.time - before.time}
		}
		increase.programs[program] = now
	}
	return increase
}

// add adds an increase that followed.
func (s *sample) add(next sample) {
	for party, more := range next.requests {
		s.requests[party] = s.requests[party].plus(more)
	}
	for program, more := range next.programs {
		sum := s.programs[program]
		s.programs[program] = spent{sum.runs + more.runs, sum.time + more.time}
	}
	s.cpu += next.cpu
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

// window is the increase from the oldest time that is kept until now.
func (h *history) window(now sample) sample {
	newest := now.since(h.last)
	if len(h.increases) == 0 {
		return newest
	}
	sum := sample{at: h.increases[0].at, requests: map[party]tally{}, programs: map[string]spent{}}
	for _, increase := range h.increases {
		sum.add(increase)
	}
	sum.add(newest)
	return sum
}
