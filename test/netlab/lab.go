package netlab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
)

// Lab is two network namespaces, client and server, with a bad wire between them.
// Its methods may be called concurrently.
type Lab struct {
	client, server     *Namespace
	toServer, toClient *relay

	end       context.CancelFunc
	running   sync.WaitGroup
	closeOnce func() error

	mutex    sync.Mutex // guards problems
	problems []error    // why relays ended early
}

// New builds a lab. It needs root; see the package documentation. The caller has to
// close the lab; after an error there is nothing to close.
func New(impairment Impairment) (*Lab, error) {
	if err := impairment.validate(); err != nil {
		return nil, err
	}
	impairment = impairment.withDefaults()

	// Ranges set aside for tests of network devices (RFC 2544 and RFC 5180): no
	// machine's own network uses them.
	ended, end := context.WithCancel(context.Background())
	client, err := newNamespace(ended, netip.MustParsePrefix("198.18.0.1/24"), netip.MustParsePrefix("2001:2::1/64"))
	if err != nil {
		end()
		return nil, err
	}
	server, err := newNamespace(ended, netip.MustParsePrefix("198.18.0.2/24"), netip.MustParsePrefix("2001:2::2/64"))
	if err != nil {
		end()
		return nil, errors.Join(err, client.close())
	}

	lab := &Lab{
		client:   client,
		server:   server,
		toServer: newRelay(client.wire, server.wire, impairment, 1),
		toClient: newRelay(server.wire, client.wire, impairment, 2),
		end:      end,
	}
	lab.closeOnce = sync.OnceValue(lab.shutDown)
	lab.start("server", lab.toServer)
	lab.start("client", lab.toClient)
	return lab, nil
}

// start runs the relay towards one namespace.
func (l *Lab) start(towards string, r *relay) {
	l.running.Go(r.send)
	l.running.Go(func() {
		if err := r.read(); err != nil {
			l.mutex.Lock()
			defer l.mutex.Unlock()
			l.problems = append(l.problems, fmt.Errorf("netlab: the wire towards the %s broke: %w", towards, err))
		}
	})
}

// Client returns the namespace for clients.
func (l *Lab) Client() *Namespace { return l.client }

// Server returns the namespace for servers.
func (l *Lab) Server() *Namespace { return l.server }

// Stats returns what the wire has done so far. It also works after Close.
func (l *Lab) Stats() Stats {
	return Stats{
		ToServer: l.toServer.tally.counters(),
		ToClient: l.toClient.tally.counters(),
	}
}

// Close kills the programs that still run in the lab, takes the wire away and lets
// go of the namespaces. Open sockets of this process stay open, but reach nothing.
// It returns an error if something could not be removed, or if the wire broke while
// the lab was in use. All calls return the same.
func (l *Lab) Close() error { return l.closeOnce() }

func (l *Lab) shutDown() error {
	l.end()
	err := errors.Join(l.client.close(), l.server.close())
	l.running.Wait()

	l.mutex.Lock()
	defer l.mutex.Unlock()
	return errors.Join(append(l.problems, err)...)
}
