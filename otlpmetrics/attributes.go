package otlpmetrics

import (
	"maps"
	"slices"
	"strings"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
)

const (
	scopeName = "sonde_exporter" // what measured
	sdkName   = "sonde"          // as of spans

	// anyLanguage is the word of Beyla where the language of a service is not
	// known: the instances that are counted together may differ in it.
	anyLanguage = "generic"
)

// commonResource returns what all resources share. Several hosts may send the
// counts of one service: its instance id keeps them apart, and becomes the label
// instance in Prometheus.
func commonResource(opts Options) []*commonpb.KeyValue {
	common := map[string]string{"host.name": opts.Host}
	maps.Copy(common, opts.Resource)
	// These would be about Sonde itself.
	for _, name := range []string{"service.name", "service.namespace", "service.version", "process.pid"} {
		delete(common, name)
	}
	maps.Copy(common, map[string]string{
		"service.instance.id": opts.Host,
		"telemetry.sdk.name":  sdkName, "telemetry.sdk.language": anyLanguage, "telemetry.sdk.version": opts.Version,
		"telemetry.distro.name": sdkName, "telemetry.distro.version": opts.Version,
	})
	var attributes []*commonpb.KeyValue
	for _, name := range slices.Sorted(maps.Keys(common)) {
		if common[name] != "" {
			attributes = append(attributes, textAttribute(name, common[name]))
		}
	}
	return attributes
}

// resourceOf is the service of a point.
func (e *encoder) resourceOf(p point) *resourcepb.Resource {
	return &resourcepb.Resource{Attributes: append(knownAttributes(p, true), e.resource...)}
}

// pointAttributes are what tells apart the series of one service.
func pointAttributes(p point) []*commonpb.KeyValue { return knownAttributes(p, false) }

func knownAttributes(p point, ofResource bool) []*commonpb.KeyValue {
	var attributes []*commonpb.KeyValue
	for _, attribute := range p.definition.Attributes {
		text := attribute.Text(p.labels)
		if attribute.Resource != ofResource || text == "" {
			continue
		}
		if number, isNumber := attribute.Number(p.labels); isNumber {
			attributes = append(attributes, &commonpb.KeyValue{
				Key: attribute.Name, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: number}},
			})
			continue
		}
		attributes = append(attributes, textAttribute(attribute.Name, text))
	}
	return attributes
}

// textAttribute makes name and value valid UTF-8, without which protobuf refuses
// the whole message.
func textAttribute(name, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{
		Key:   strings.ToValidUTF8(name, "\uFFFD"),
		Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: strings.ToValidUTF8(value, "\uFFFD")}},
	}
}
