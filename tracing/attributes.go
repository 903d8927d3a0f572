package tracing

import (
	"go.opentelemetry.io/otel/attribute"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
)

// attributes are those of a span or a resource. What is empty or 0 is not known,
// and left out.
type attributes []*commonpb.KeyValue

// usualAttributes is room for those of most spans.
const usualAttributes = 16

func (a *attributes) text(key attribute.Key, value string) {
	if value = clean(value, maxText); value == "" {
		return
	}
	// One allocation instead of three: most attributes are text.
	made := &struct {
		pair  commonpb.KeyValue
		value commonpb.AnyValue
		text  commonpb.AnyValue_StringValue
	}{}
	made.text.StringValue = value
	made.value.Value = &made.text
	made.pair.Key, made.pair.Value = string(key), &made.value
	*a = append(*a, &made.pair)
}

func (a *attributes) number(key attribute.Key, value int64) {
	if value != 0 {
		a.add(key, &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: value}})
	}
}

func (a *attributes) texts(key attribute.Key, values []string) {
	if len(values) == 0 {
		return
	}
	array := &commonpb.ArrayValue{}
	for _, value := range values {
		array.Values = append(array.Values, &commonpb.AnyValue{
			Value: &commonpb.AnyValue_StringValue{StringValue: clean(value, maxText)},
		})
	}
	a.add(key, &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: array}})
}

func (a *attributes) add(key attribute.Key, value *commonpb.AnyValue) {
	*a = append(*a, &commonpb.KeyValue{Key: string(key), Value: value})
}
