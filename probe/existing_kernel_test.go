package probe

import "testing"

// early is a process that was there before Sonde, and the call that is placed
// once before the programs are attached and again after Walk.
type early struct {
	name   string
	part   part
	places []where
	keeps  bool // the connection of the first call is used again
	itself bool // the process calls itself; else the test calls it
}

func earlyOnes() []early {
	serves := part{Script: answer(getHello, okHello)}
	overMPTCP, over6, inherits := serves, serves, serves
	overMPTCP.MPTCP = true
	over6.Network, over6.Address = "tcp", "[::1]:0"
	inherits.HandsOver = true
	return []early{
		{name: "a listener", part: serves},
		{name: "a listener over IPv6", part: over6},
		{name: "a listener whose first process is gone", part: inherits},
		{name: "a listener over MPTCP", part: overMPTCP},
		{name: "a connection", part: serves, keeps: true},
		{name: "a connection over IPv6", part: over6, keeps: true},
		{name: "a connection to a listener over MPTCP", part: overMPTCP, keeps: true},
		{name: "a connection of a client", part: serves, keeps: true, itself: true},
		{name: "a listener elsewhere", part: serves, places: []where{elsewhere}, itself: true},
		{name: "a listener over MPTCP elsewhere", part: overMPTCP, places: []where{elsewhere}, itself: true},
		{name: "a connection elsewhere", part: serves, places: []where{elsewhere}, keeps: true, itself: true},
	}
}

// TestExisting starts everything before Sonde: Walk finds who listens, and open
// connections count from their next request on.
func TestExisting(t *testing.T) {
	needKernel(t)
	const times = 10
	outside := newCaller()
	defer outside.hangUp()
	place := func(t *testing.T, e early, p *player, times int) {
		t.Helper()
		order := call{Address: p.address, Times: times, Keeps: e.keeps, Script: exchange(getHello, okHello)}
		if e.itself {
			p.call(t, order)
		} else if err := outside.place(order); err != nil {
			t.Fatalf("call: %v", err)
		}
	}
	cases := earlyOnes()
	players := make([]*player, len(cases))
	for i, c := range cases {
		if c.part.MPTCP && tryMPTCP() != nil {
			continue // its subtest says so
		}
		players[i] = start(t, c.part, c.places...)
		place(t, c, players[i], 1)
	}
	k := openProbe(t)
	if err := k.Walk(); err != nil {
		t.Fatalf("Walk: %v", err)
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.part.MPTCP {
				requireMPTCP(t)
			}
			place(t, c, players[i], times)
			want := tally{"server GET /hello 200": times}
			if c.itself {
				want["client GET http://example/hello 200"] = times
			}
			k.expect(t, k.instanceOf(t, players[i]), want)
		})
	}
}
