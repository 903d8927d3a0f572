package probe

import (
	"math"
	"runtime"
	"strings"
	"testing"

	"sonde_exporter/bpf"
)

// bomb is requests for as many paths as there are words of three letters in use.
func bomb(paths int) (requests string) {
	var text strings.Builder
	for i := range paths {
		letters := []byte{'a' + byte(i/676%26), 'a' + byte(i/26%26), 'a' + byte(i%26)}
		text.WriteString("GET /" + string(letters) + " HTTP/1.1\r\n\r\n")
	}
	return text.String()
}

const bombPaths = 600

// explode sends each path often enough that the kernel knows it at last.
func explode(t *testing.T, k kernel) (instance uint32, sent uint64) {
	t.Helper()
	const times = 3
	request := "GET /abc HTTP/1.1\r\n\r\n"
	server := start(t, part{Script: answer(request, okHello)})
	requests := bomb(bombPaths)
	for range times {
		var script []step
		for i := range bombPaths {
			script = append(script, exchange(requests[i*len(request):(i+1)*len(request)], okHello)...)
		}
		callFromOutside(t, call{Address: server.address, Script: script})
	}
	return k.instanceOf(t, server), times * bombPaths
}

// kernelSeries counts the series of an instance in the kernel, overflow aside.
func (k kernel) kernelSeries(t *testing.T, instance uint32) (count int) {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	err := k.NewReader().Each(func(key SeriesKey, _ *bpf.SondeHistogram) {
		if k.operations[key.Operation].key.Service == instance {
			count++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// TestSeriesLimits drops a bomb of paths. Memory stays bounded, the total exact.
func TestSeriesLimits(t *testing.T) {
	k := openProbe(t)
	const limit = 40
	cases := []struct {
		name     string
		settings func() Settings
	}{
		{"per service", func() Settings {
			return Settings{SeriesLimit: math.MaxUint32, SeriesLimitPerService: limit}
		}},
		{"in all", func() Settings {
			return Settings{SeriesLimit: k.SeriesCount() + limit, SeriesLimitPerService: math.MaxUint32}
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			k.apply(t, c.settings())
			before, err := k.Overflow()
			if err != nil {
				t.Fatal(err)
			}
			instance, sent := explode(t, k)
			got := k.expectTotal(t, instance, sent)
			// Two CPUs may both find room for the last one.
			if most := limit + runtime.NumCPU(); k.kernelSeries(t, instance) > most {
				t.Errorf("%d series in the kernel, want at most %d", k.kernelSeries(t, instance), most)
			}
			after, err := k.Overflow()
			if err != nil {
				t.Fatal(err)
			}
			if got["server _other"] == 0 || got["server _other"] != after-before {
				t.Errorf("%d observations in the overflow series, %d counted as overflow", got["server _other"], after-before)
			}
		})
	}
}

// TestCreateSeries has user space make series, which share their limits with
// those that the kernel makes.
func TestCreateSeries(t *testing.T) {
	k := openProbe(t)
	server := start(t, part{Script: answer(getHello, okHello)})
	instance := k.instanceOf(t, server)
	for total := range uint64(2) { // the kernel files the second by itself
		callFromOutside(t, call{Address: server.address, Script: exchange(getHello, okHello)})
		k.expectTotal(t, instance, total+1)
	}
	const made = 1 << 20 // far beyond the numbers that the recorder gives
	kernels, before := k.kernelSeries(t, instance), k.SeriesCount()
	create := func(operation uint32, want Filing) {
		t.Helper()
		value := &bpf.SondeHistogram{SumNs: 7}
		value.Slots[3] = 1
		if got := k.CreateSeries(instance, SeriesKey{Operation: operation}, value); got != want {
			t.Errorf("CreateSeries of operation %#x: %d, want %d", operation, got, want)
		}
	}
	k.apply(t, Settings{SeriesLimit: 1000, SeriesLimitPerService: uint32(kernels) + 2})
	create(made, Created)
	create(made, Exists)
	create(made+1, Created)
	create(made+2, NoRoom)
	create(OtherOperation(instance, 1), Exists) // since the process began to listen
	k.apply(t, Settings{SeriesLimit: before + 2, SeriesLimitPerService: math.MaxUint32})
	create(made+2, NoRoom)
	k.apply(t, Settings{SeriesLimit: before + 3, SeriesLimitPerService: math.MaxUint32})
	create(made+2, Created)
	if got := k.SeriesCount(); got != before+3 {
		t.Errorf("%d series, want %d", got, before+3)
	}
	isMade := func(operation uint32) bool { return operation >= made && operation < made+3 }
	var sum uint64
	err := k.RemoveSeries(isMade, func(_ SeriesKey, value *bpf.SondeHistogram) { sum += value.SumNs*10 + value.Slots[3] })
	if err != nil {
		t.Fatal(err)
	}
	if sum != 3*71 || k.SeriesCount() != before {
		t.Errorf("what was made came back as %d, and %d series are left, want %d and %d", sum, k.SeriesCount(), 3*71, before)
	}
}

// TestAnnounceLimit keeps a service from flooding user space with new paths.
func TestAnnounceLimit(t *testing.T) {
	k := openProbe(t)
	const limit = 30
	request := "GET /abc HTTP/1.1\r\n\r\n"
	server := start(t, part{Script: answer(request, okHello)})
	instance := k.instanceOf(t, server)
	if err := k.LimitAnnouncements(instance, limit); err != nil {
		t.Fatal(err)
	}
	requests := bomb(bombPaths)
	callFromOutside(t, call{Address: server.address, Script: exchange(requests, strings.Repeat(okHello, bombPaths))})
	k.expectTotal(t, instance, bombPaths)
	k.mu.Lock()
	defer k.mu.Unlock()
	if got := k.announced[instance]; got != limit {
		t.Errorf("%d operations were announced, want %d", got, limit)
	}
}

// TestRetirement takes away all that an instance has left.
func TestRetirement(t *testing.T) {
	k := openProbe(t)
	server := start(t, part{Script: answer(getHello, okHello)})
	instance := k.instanceOf(t, server)
	for total := uint64(5); total <= 10; total += 5 { // the kernel files the second five by itself
		callFromOutside(t, call{Address: server.address, Times: 5, Script: exchange(getHello, okHello)})
		k.expect(t, instance, tally{"server GET /hello 200": total})
	}
	before := k.SeriesCount()
	var removed, observations uint64
	belongs := func(number uint32) bool {
		service, _, other := IsOther(number)
		return (other && service == instance) || (!other && k.operations[number].key.Service == instance)
	}
	err := k.RemoveSeries(belongs, func(_ SeriesKey, histogram *bpf.SondeHistogram) {
		removed++
		for _, count := range histogram.Slots {
			observations += count
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if removed != 1+overflowSeriesPerService || observations == 0 {
		t.Errorf("%d series with %d observations were removed, want one and %d overflow series", removed, observations, overflowSeriesPerService)
	}
	if got := k.SeriesCount(); got != before-1 {
		t.Errorf("%d series are left, want %d", got, before-1)
	}
	forgotten := 0
	ours := func(key OperationKey) bool { return key.Service == instance }
	if err := k.ForgetOperations(ours); err != nil {
		t.Fatal(err)
	}
	if err := k.ForgetOperations(func(key OperationKey) bool {
		if ours(key) {
			forgotten++
		}
		return false
	}); err != nil {
		t.Fatal(err)
	}
	if forgotten != 0 {
		t.Errorf("%d operations are still known", forgotten)
	}
}
