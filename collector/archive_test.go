package collector

import (
	"testing"

	"sonde_exporter/bpf"
	"sonde_exporter/discovery"
	"sonde_exporter/series"
)

// histogramOf has n observations of a nanosecond.
func histogramOf(n uint64) *series.Histogram {
	h := &series.Histogram{SumNanoseconds: n}
	h.Slots[0] = n
	return h
}

func TestArchiveSumsByServiceAndLabels(t *testing.T) {
	a := NewArchive()
	shop, bank := discovery.Service{Name: "shop", Namespace: "eu"}, discovery.Service{Name: "bank"}
	get := series.Labels{Method: "GET", Route: "/"}
	a.add(shop, get, histogramOf(1))
	a.add(shop, get, histogramOf(2)) // of another instance
	a.add(shop, series.Labels{Method: "POST", Route: "/"}, histogramOf(4))
	a.add(bank, get, histogramOf(8))

	want := map[series.Labels]uint64{
		{ServiceName: "shop", ServiceNamespace: "eu", Method: "GET", Route: "/"}:  3,
		{ServiceName: "shop", ServiceNamespace: "eu", Method: "POST", Route: "/"}: 4,
		{ServiceName: "bank", Method: "GET", Route: "/"}:                          8,
	}
	check := func() {
		t.Helper()
		fold := a.Fold()
		if len(fold) != len(want) {
			t.Errorf("%d series are archived, want %d", len(fold), len(want))
		}
		for labels, count := range want {
			if h := fold[labels]; h == nil || h.Count() != count || h.SumNanoseconds != count {
				t.Errorf("%+v: %v, want %d observations", labels, h, count)
			}
		}
	}
	check()
	// A scrape adds what still counts to what it was given.
	for _, histogram := range a.Fold() {
		histogram.Add(histogramOf(100))
	}
	check()

	a.keep(map[discovery.Service][]discovery.Instance{bank: {{}}})
	if fold := a.Fold(); len(fold) != 1 {
		t.Errorf("%d series are left, want that of the other service", len(fold))
	}
}

func TestArchiveOfConnections(t *testing.T) {
	a := NewArchive()
	shop := discovery.Service{Name: "shop"}
	var one protocolCounts
	one[bpf.SondeRoleROLE_SERVER][bpf.SondeTransportTRANSPORT_TCP][bpf.SondeProtocolPROTOCOL_HTTP1] = 3
	one[bpf.SondeRoleROLE_CLIENT][bpf.SondeTransportTRANSPORT_TLS][bpf.SondeProtocolPROTOCOL_TLS] = 5
	a.addConnections(shop, one)
	a.addConnections(shop, one)
	shown := a.Connections()
	got := shown[shop]
	if got[0][0][bpf.SondeProtocolPROTOCOL_HTTP1] != 6 || got[1][1][bpf.SondeProtocolPROTOCOL_TLS] != 10 {
		t.Errorf("archived connections %v, want twice %v", got, one)
	}
	delete(shown, shop)
	if len(a.Connections()) != 1 {
		t.Error("a reader can take connections out of the archive")
	}
	a.keep(nil)
	if len(a.Connections()) != 0 {
		t.Error("drop left connections")
	}
}
