package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
)

// endpoint is a receiver that can be taken down and brought up again on the same
// addresses.
type endpoint struct {
	settings settings
	store    *store
	gate     *gate

	mu      sync.Mutex
	running []component.Component
}

func newEndpoint(s settings, into *store) *endpoint {
	return &endpoint{settings: s, store: into, gate: newGate(s.user, s.password, into)}
}

// up opens the ports. An endpoint that is up stays so.
func (e *endpoint) up(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.running) > 0 {
		return nil
	}
	factory := otlpreceiver.NewFactory()
	// The configuration's address is what ties the two signals to one server.
	config, err := e.config(factory)
	if err != nil {
		return err
	}
	traces, err := consumer.NewTraces(e.store.consumeTraces)
	if err != nil {
		return fmt.Errorf("make the consumer of traces: %w", err)
	}
	metrics, err := consumer.NewMetrics(e.store.consumeMetrics)
	if err != nil {
		return fmt.Errorf("make the consumer of metrics: %w", err)
	}
	forTraces, err := factory.CreateTraces(ctx, receiverSettings(factory), config, traces)
	if err != nil {
		return fmt.Errorf("make the receiver of traces: %w", err)
	}
	forMetrics, err := factory.CreateMetrics(ctx, receiverSettings(factory), config, metrics)
	if err != nil {
		return fmt.Errorf("make the receiver of metrics: %w", err)
	}
	for _, r := range []component.Component{forTraces, forMetrics} {
		// Its servers outlive the request that has brought them up.
		if err := r.Start(context.WithoutCancel(ctx), e); err != nil {
			return errors.Join(fmt.Errorf("start the receiver: %w", err), e.stop(ctx))
		}
		e.running = append(e.running, r)
	}
	return nil
}

// down closes the ports: who connects then is refused by the kernel.
func (e *endpoint) down(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stop(ctx)
}

func (e *endpoint) stop(ctx context.Context) error {
	var errs []error
	for _, r := range e.running {
		errs = append(errs, r.Shutdown(ctx))
	}
	e.running = nil
	return errors.Join(errs...)
}

// GetExtensions is where the receiver looks for what its configuration names.
func (e *endpoint) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{gateID(): e.gate}
}

func (e *endpoint) config(factory receiver.Factory) (*otlpreceiver.Config, error) {
	config, ok := factory.CreateDefaultConfig().(*otlpreceiver.Config)
	if !ok {
		return nil, errors.New("the receiver's configuration has another type than its package says")
	}
	auth := configauth.Config{AuthenticatorID: gateID()}
	middlewares := []configmiddleware.Config{{ID: gateID()}}
	grpc, http := config.Protocols.GRPC.GetOrInsertDefault(), config.Protocols.HTTP.GetOrInsertDefault()
	grpc.NetAddr.Endpoint, grpc.TLS = e.settings.grpc, e.tls()
	grpc.Auth, grpc.Middlewares = configoptional.Some(auth), middlewares
	server := &http.ServerConfig
	server.NetAddr.Endpoint, server.TLS = e.settings.http, e.tls()
	server.Auth, server.Middlewares = configoptional.Some(confighttp.AuthConfig{Config: auth}), middlewares
	if e.settings.grpc == "" {
		config.Protocols.GRPC = configoptional.None[configgrpc.ServerConfig]()
	}
	if e.settings.http == "" {
		config.Protocols.HTTP = configoptional.None[otlpreceiver.HTTPConfig]()
	}
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("the receiver does not take its configuration: %w", err)
	}
	return config, nil
}

func (e *endpoint) tls() configoptional.Optional[configtls.ServerConfig] {
	if e.settings.cert == "" {
		return configoptional.None[configtls.ServerConfig]()
	}
	return configoptional.Some(configtls.ServerConfig{
		Config:       configtls.Config{CertFile: e.settings.cert, KeyFile: e.settings.key},
		ClientCAFile: e.settings.clientCA,
	})
}

func receiverSettings(factory receiver.Factory) receiver.Settings {
	return receiver.Settings{
		ID: component.NewID(factory.Type()),
		TelemetrySettings: component.TelemetrySettings{
			Logger:         zap.NewNop(),
			TracerProvider: tracenoop.NewTracerProvider(),
			MeterProvider:  metricnoop.NewMeterProvider(),
		},
	}
}
