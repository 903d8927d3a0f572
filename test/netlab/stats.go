package netlab

import "sync/atomic"

// Counters says what happened to the packets of one direction. While a lab is in
// use they are a snapshot; packets still on their way are in none of them.
type Counters struct {
	// Forwarded is how many packets were handed to the receiver, duplicates included.
	Forwarded uint64

	// Lost is how many packets the impairment threw away.
	Lost uint64

	// Duplicated is how many packets were sent twice.
	Duplicated uint64

	// Reordered is how many packets were overtaken by a later packet of their own
	// connection. A packet that was held back with none following is not among them.
	Reordered uint64

	// Refused is how many packets the receiving device did not take, for instance
	// because a test has set it down. They arrived nowhere, but not by impairment.
	Refused uint64
}

// Stats are the counters of both directions.
type Stats struct {
	// ToServer counts packets from the client's namespace to the server's.
	ToServer Counters

	// ToClient counts packets from the server's namespace to the client's.
	ToClient Counters
}

// Total adds up both directions.
func (s Stats) Total() Counters {
	return Counters{
		Forwarded:  s.ToServer.Forwarded + s.ToClient.Forwarded,
		Lost:       s.ToServer.Lost + s.ToClient.Lost,
		Duplicated: s.ToServer.Duplicated + s.ToClient.Duplicated,
		Reordered:  s.ToServer.Reordered + s.ToClient.Reordered,
		Refused:    s.ToServer.Refused + s.ToClient.Refused,
	}
}

// tally is Counters while they are being counted.
type tally struct {
	forwarded, lost, duplicated, reordered, refused atomic.Uint64
}

func (t *tally) counters() Counters {
	return Counters{
		Forwarded:  t.forwarded.Load(),
		Lost:       t.lost.Load(),
		Duplicated: t.duplicated.Load(),
		Reordered:  t.reordered.Load(),
		Refused:    t.refused.Load(),
	}
}
