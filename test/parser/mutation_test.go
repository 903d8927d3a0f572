package parser

import (
	"math/rand/v2"
	"testing"
)

// mutate changes well-formed text in a few places.
func (a author) mutate(text string) string {
	for range a.IntN(4) {
		at := a.IntN(len(text) + 1)
		to := min(len(text), at+a.length(20))
		switch a.IntN(4) {
		case 0:
			text = text[:at] + text[to:]
		case 1:
			text = text[:at] + text[at:to] + text[at:]
		case 2:
			text = text[:at] + a.text("\r\n :0\x00\xffG", 1) + text[min(len(text), at+1):]
		default:
			text = text[:at] + pick(a, tokens()...) + text[at:]
		}
	}
	return text
}

// mutated returns a conversation with mistakes in it, as a script and the packets
// that keep its turns apart.
func (a author) mutated() (script, []packet) {
	s := script{role: Role(a.IntN(2)), layout: layout(a.IntN(int(layouts))), paged: a.chance(50)}
	var packets []packet
	for _, turn := range a.conversation().turns {
		text := turn.bytes
		if a.chance(20) {
			text = a.mutate(text)
		}
		start := len(s.stream(turn.fromClient))
		for _, part := range a.cut(len(text)) {
			packets = append(packets, packet{fromClient: turn.fromClient, from: start + part.from, to: start + part.to})
		}
		if turn.fromClient {
			s.client = append(s.client, text...)
		} else {
			s.server = append(s.server, text...)
		}
	}
	return s, packets
}

// checkMutated plays the mutated conversation of a seed in ways that must not
// make a difference.
func checkMutated(t *testing.T, seed uint64) {
	a := author{rand.New(rand.NewPCG(seed, 1))}
	s, packets := a.mutated()
	s.compare(t, packets)
	if t.Failed() {
		t.Fatalf("seed %d, role %d\nclient: %.3000q\nserver: %.3000q", seed, s.role, s.client, s.server)
	}
}

func TestMutations(t *testing.T) {
	const conversations = 200
	for seed := range uint64(conversations) {
		checkMutated(t, seed)
	}
}

// FuzzMutations goes on where TestMutations ends.
func FuzzMutations(f *testing.F) {
	f.Add(uint64(1 << 40))
	f.Fuzz(checkMutated)
}
