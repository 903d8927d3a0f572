package probe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"sonde_exporter/bpf"
	"sonde_exporter/tlslib"
)

// listenTLS speaks TLS with a certificate that nobody needs to trust.
func listenTLS(listener net.Listener) (net.Listener, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return tls.NewListener(listener, &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}},
	}), nil
}

// attachTLS attaches to crypto/tls in the players, which are this program.
func (k kernel) attachTLS(t *testing.T) (detach func()) {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	found, err := tlslib.Find(file, info.Size())
	if err != nil || len(found.Images) != 1 || found.Images[0].Library != tlslib.Go {
		t.Fatalf("in this program tlslib finds %+v, %v; want crypto/tls", found, err)
	}
	attached, err := k.AttachTLS(path, found.Images[0])
	if err != nil {
		t.Fatalf("AttachTLS: %v", err)
	}
	return func() {
		t.Helper()
		if err := attached.Close(); err != nil {
			t.Errorf("detaching: %v", err)
		}
	}
}

// TestTLS sees requests inside TLS, in both roles, whatever their shape.
func TestTLS(t *testing.T) {
	k := openProbe(t)
	defer k.attachTLS(t)()
	body := step{Send: strings.Repeat("x", 1000), Times: 100} // many records
	post := "POST /upload HTTP/1.1\r\nHost: example\r\nContent-Length: 100000\r\n\r\n"
	okLong := "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
	cases := []struct {
		name   string
		call   call
		script []step
		want   tally
	}{
		{
			"keep-alive", call{Times: 20, Script: exchange(getHello, okHello)}, answer(getHello, okHello),
			tally{"server over TLS GET /hello 200": 20, "client over TLS GET http://example/hello 200": 20},
		},
		{
			"short connections", call{Connections: 20, Script: exchange(getHello, okHello)}, answer(getHello, okHello),
			tally{"server over TLS GET /hello 200": 20, "client over TLS GET http://example/hello 200": 20},
		},
		{
			"a byte a record", call{Times: 3, Script: []step{trickle(getHello), receive(okHello)}},
			[]step{receive(getHello), trickle(okHello)},
			tally{"server over TLS GET /hello 200": 3, "client over TLS GET http://example/hello 200": 3},
		},
		{
			"many records", call{Times: 3, Script: []step{send(post), body, receive(okLong), {Receive: 100_000}}},
			[]step{receive(post), {Receive: 100_000}, send(okLong), body},
			tally{"server over TLS POST /upload 200": 3, "client over TLS POST http://example/upload 200": 3},
		},
		{
			"reset", call{Connections: 2, Script: []step{send(getHello), pause(patience(20 * time.Millisecond)), end(endReset)}},
			[]step{receive(getHello), end(endDrain)},
			tally{"server over TLS GET /hello reset": 2, "client over TLS GET http://example/hello closed": 2},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			service := start(t, part{TLS: true, Script: c.script}, elsewhere)
			c.call.Address, c.call.TLS = service.address, true
			service.call(t, c.call)
			k.expect(t, k.instanceOf(t, service), c.want)
		})
	}
}

// TestTLSIsToldAndSeenLater: before anything is attached a service tells that it
// speaks TLS; connections that are open already are seen from then on.
func TestTLSIsToldAndSeenLater(t *testing.T) {
	k := openProbe(t)
	service := start(t, part{TLS: true, Script: answer(getHello, okHello)}, elsewhere)
	order := call{Address: service.address, TLS: true, Keeps: true, Times: 20, Script: exchange(getHello, okHello)}
	service.call(t, order)
	instance := k.instanceOf(t, service)
	eventually(t, func() string {
		k.recorder.mu.Lock()
		defer k.recorder.mu.Unlock()
		if !k.speakTLS[instance] {
			return "the service did not tell that it speaks TLS"
		}
		return ""
	})
	k.expect(t, instance, tally{})
	if unseen := k.connectionsOf(t, instance, bpf.SondeRoleROLE_SERVER, bpf.SondeProtocolPROTOCOL_TLS); unseen != 1 {
		t.Errorf("%d connections that cannot be seen, want 1", unseen)
	}
	detach := k.attachTLS(t)
	order.TLS = false // the connection that was kept is one
	service.call(t, order)
	k.expectAfterAttach(t, instance)
	detach()
	service.call(t, order)
	k.expectAfterAttach(t, instance)
}

// expectAfterAttach: a server has read whatever it answers, but the first request
// of a client is tied to its socket by luck only.
func (k kernel) expectAfterAttach(t *testing.T, instance uint32) {
	t.Helper()
	const server, client = "server over TLS GET /hello 200", "client over TLS GET http://example/hello 200"
	eventually(t, func() string {
		got := k.tallyOf(t, instance)
		if got[server] != 20 || got[client] < 19 || got.total() != got[server]+got[client] {
			return fmt.Sprintf("observed %v, want 20 of the server and 19 or 20 of the client", got)
		}
		return ""
	})
}

// TestTLSLeavesNothing: sessions end with their sockets, goroutines with their calls.
func TestTLSLeavesNothing(t *testing.T) {
	k := openProbe(t)
	defer k.attachTLS(t)()
	service := start(t, part{TLS: true, Script: answer(getHello, okHello)}, elsewhere)
	service.call(t, call{Address: service.address, TLS: true, Connections: 10, Script: exchange(getHello, okHello)})
	k.expect(t, k.instanceOf(t, service), tally{
		"server over TLS GET /hello 200": 10, "client over TLS GET http://example/hello 200": 10,
	})
	eventually(t, func() string {
		maps, err := k.Maps()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range maps {
			switch m.Name {
			case "sessions", "tls_sockets", "tls_carries", "tls_spills", "goroutines", "writers":
				if m.Entries > 0 {
					return m.Name + " is not empty"
				}
			}
		}
		return ""
	})
	if err := k.SweepTLS(); err != nil {
		t.Error(err)
	}
}
