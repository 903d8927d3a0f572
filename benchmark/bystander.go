package main

import (
	"os"
	"time"

	"sonde_exporter/test/harness"
)

// bystander is work that Sonde has nothing to do with.
type bystander struct {
	name string
	rate quantity // work a second
	cost quantity // CPU for one piece of work
	// scale is how many CPU seconds make one unit of cost.
	scale float64
	// work goes on for a while and says how much it has done.
	work func(time.Duration) (float64, error)
}

func newBystander(name, rate, cost string, scale float64, work func(time.Duration) (float64, error)) bystander {
	return bystander{
		name: name, scale: scale, work: work,
		rate: quantity{part: partBystander, subject: name, measure: "speed", unit: rate},
		cost: quantity{part: partBystander, subject: name, measure: "CPU", unit: cost},
	}
}

// bystanders do their work inside of the benchmark: both ends, so that its CPU
// time holds the whole cost.
func bystanders() []bystander {
	return []bystander{
		newBystander("bulk TCP on loopback", "GiB/s", "ms/GiB", 1e3, bulkTCP),
		newBystander("Unix socket ping-pong", "round trips/s", "µs/round trip", 1e6, pingPong),
		newBystander("system calls", "calls/s", "ns/call", 1e9, systemCalls),
		newBystander("UDP flood on loopback", "packets/s", "µs/packet", 1e6, floodUDP),
	}
}

// measureBystanders runs all of them, once in each round on each side.
func measureBystanders(s *stage, p plan, rec *record) {
	for range p.rounds {
		for _, a := range arms {
			var e *harness.Exporter
			if a != without {
				e = launch(s, p.programs.Exporter, harness.Options{Args: a.flags()})
				time.Sleep(settle)
			}
			for _, b := range bystanders() {
				s.must(s.Context().Err())
				s.must(b.measure(rec, a, time.Duration(p.seconds)*time.Second))
			}
			if e != nil {
				s.must(e.Stop())
			}
		}
		p.progress("bystanders")
	}
}

func (b bystander) measure(rec *record, a arm, length time.Duration) error {
	self := os.Getpid()
	before, err := cpuTime(self)
	if err != nil {
		return err
	}
	begin := time.Now()
	done, err := b.work(length)
	if err != nil {
		return err
	}
	elapsed := time.Since(begin)
	after, err := cpuTime(self)
	if err != nil {
		return err
	}
	rec.add(b.rate, a, done/elapsed.Seconds())
	rec.add(b.cost, a, b.scale*(after-before).Seconds()/done)
	return nil
}
