package probe

import (
	"sync"
	"testing"
	"time"

	"sonde_exporter/bpf"
)

// TestExclusion takes an instance out of the measurement and back, while its
// connection stays open.
func TestExclusion(t *testing.T) {
	k := openProbe(t)
	server := start(t, part{Script: answer(getHello, okHello)})
	instance := k.instanceOf(t, server)
	client := newCaller()
	defer client.hangUp()
	sendFive := func(excluded bool, want uint64) {
		t.Helper()
		if err := k.Decide(instance, Decision{Excluded: excluded}); err != nil {
			t.Fatal(err)
		}
		if err := k.Rejudge(); err != nil {
			t.Fatal(err)
		}
		order := call{Address: server.address, Keeps: true, Times: 5, Script: exchange(getHello, okHello)}
		if err := client.place(order); err != nil {
			t.Fatal(err)
		}
		k.expect(t, instance, tally{"server GET /hello 200": want})
	}
	sendFive(false, 5)
	sendFive(true, 5)
	sendFive(false, 10)
}

// TestForgetOperations is a reload: operations are asked for again, also by a
// connection that is open.
func TestForgetOperations(t *testing.T) {
	k := openProbe(t)
	server := start(t, part{Script: answer(getHello, okHello)})
	instance := k.instanceOf(t, server)
	client := newCaller()
	defer client.hangUp()
	for round := 1; round <= 3; round++ {
		order := call{Address: server.address, Keeps: true, Times: 5, Script: exchange(getHello, okHello)}
		if err := client.place(order); err != nil {
			t.Fatal(err)
		}
		k.expect(t, instance, tally{"server GET /hello 200": uint64(5 * round)})
		k.mu.Lock()
		announced := k.announced[instance]
		k.mu.Unlock()
		if announced < round {
			t.Errorf("after %d rounds the operation was announced %d times", round, announced)
		}
		if err := k.ForgetOperations(func(key OperationKey) bool { return key.Service == instance }); err != nil {
			t.Fatal(err)
		}
		if err := k.Rejudge(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestIgnored has an operation that is not to be counted.
func TestIgnored(t *testing.T) {
	k := openProbe(t)
	health := "GET /healthz HTTP/1.1\r\n\r\n"
	server := start(t, part{Script: append(answer(health, okHello), answer(getHello, okHello)...)})
	instance := k.instanceOf(t, server)
	order := call{Address: server.address, Script: append(exchange(health, okHello), exchange(getHello, okHello)...)}
	callFromOutside(t, order)
	before := tally{"server GET /hello 200": 1, "server GET /healthz 200": 1}
	k.expect(t, instance, before)
	k.mu.Lock()
	for key, number := range k.numbers {
		if key.Service == instance && k.operations[number].name == "/healthz" {
			if err := k.Teach(key, Ignored); err != nil {
				t.Error(err)
			}
		}
	}
	k.mu.Unlock()
	order.Times = 5
	callFromOutside(t, order)
	k.expect(t, instance, tally{"server GET /hello 200": 6, "server GET /healthz 200": 1})
}

// TestConcurrentConnections has every CPU count into the same series.
func TestConcurrentConnections(t *testing.T) {
	k := openProbe(t)
	const connections, times = 16, 200
	server := start(t, part{Script: answer(getHello, okHello)})
	var wait sync.WaitGroup
	for range connections {
		wait.Go(func() {
			client := newCaller()
			defer client.hangUp()
			if err := client.place(call{Address: server.address, Times: times, Script: exchange(getHello, okHello)}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	k.expect(t, k.instanceOf(t, server), tally{"server GET /hello 200": connections * times})
}

// TestDuration measures from the first byte of the request to the last of the
// answer: neither the silence before a request counts, nor that after it.
func TestDuration(t *testing.T) {
	k := openProbe(t)
	const nap = 50 * time.Millisecond
	longer := patience(4 * nap)
	half := len(okHello) / 2
	server := start(t, part{Script: []step{receive(getHello), pause(nap), send(okHello[:half]), pause(nap), send(okHello[half:])}})
	instance := k.instanceOf(t, server)
	script := []step{
		pause(longer), send(getHello[:9]), pause(nap), send(getHello[9:]), receive(okHello), pause(longer),
	}
	for range 2 { // the second is filed by the kernel
		callFromOutside(t, call{Address: server.address, Script: script})
	}
	k.expect(t, instance, tally{"server GET /hello 200": 2})
	var measured uint64
	err := k.NewReader().Each(func(key SeriesKey, histogram *bpf.SondeHistogram) {
		if key.Operation == 0 || k.operations[key.Operation].key.Service != instance {
			return
		}
		for slot, count := range histogram.Slots {
			measured += count
			// Slot i ends at 2^i ns: see testBounds.
			if ends := time.Duration(1) << slot; count > 0 && (ends < 3*nap || ends/2 > 3*nap+longer) {
				t.Errorf("a request of %s was counted among those of %s to %s", 3*nap, ends/2, ends)
			}
		}
		if mean := time.Duration(histogram.SumNs / measured); mean < 3*nap || mean > 3*nap+longer {
			t.Errorf("a request of %s was measured as %s", 3*nap, mean)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if measured == 0 {
		t.Error("the kernel filed no request")
	}
}
