package main

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component"
)

// gateID is the name by which the receiver's configuration calls the gate.
func gateID() component.ID { return component.MustNewID("gate") }

// gate is what every request passes before the receiver sees it: an
// authenticator and a middleware of the collector in one. It lets in who knows
// the password, and fails as the test wants.
type gate struct {
	component.StartFunc
	component.ShutdownFunc

	credentials string // of the header; empty lets everyone in
	store       *store

	mu    sync.Mutex
	fault fault
}

func newGate(user, password string, into *store) *gate {
	g := &gate{store: into}
	if user != "" {
		g.credentials = "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	return g
}

// Authenticate is asked by the receiver for each request, before it is unpacked.
// Names of headers are lower case in gRPC, and capitalised in HTTP.
func (g *gate) Authenticate(ctx context.Context, headers map[string][]string) (context.Context, error) {
	got := header(headers, "Authorization")
	if g.credentials != "" && subtle.ConstantTimeCompare([]byte(got), []byte(g.credentials)) != 1 {
		g.store.countUnauthorized()
		return ctx, errors.New("no such user with such a password")
	}
	if encoding := header(headers, "Content-Encoding"); encoding != "" {
		ctx = context.WithValue(ctx, compressionKey{}, &encoding)
	}
	return ctx, nil
}

func header(headers map[string][]string, name string) string {
	values := headers[name]
	if len(values) == 0 {
		values = headers[strings.ToLower(name)]
	}
	return strings.Join(values, ", ")
}

// compressionKey is the key of the context for a pointer to the name of a
// request's compression.
type compressionKey struct{}

func compressionOf(ctx context.Context) string {
	if name, ok := ctx.Value(compressionKey{}).(*string); ok {
		return *name
	}
	return ""
}

// setFault decides how the requests from now on fare.
func (g *gate) setFault(f fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fault = f
}

// nextFault is how this request fares.
func (g *gate) nextFault() fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	current := g.fault
	if current.Requests > 0 {
		if g.fault.Requests--; g.fault.Requests == 0 {
			g.fault = fault{}
		}
	}
	return current
}
