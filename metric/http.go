package metric

import "sonde_exporter/series"

// HTTPServer is the duration of the requests that a service answers. Names and
// types are those of https://opentelemetry.io/docs/specs/semconv/http/http-metrics/.
func HTTPServer() Definition {
	return Definition{
		Name: "http.server.request.duration", Unit: Seconds, Role: series.Server,
		Description: "Duration of HTTP server requests, from the first byte of the request to the last byte of the response.",
		Attributes:  append(serviceAttributes(), httpAttributes()...),
	}
}

// HTTPClient is the duration of the requests that a service makes.
func HTTPClient() Definition {
	address := Attribute{Name: "server.address", text: func(l series.Labels) string { return l.ServerAddress }}
	attributes := append(serviceAttributes(), address)
	return Definition{
		Name: "http.client.request.duration", Unit: Seconds, Role: series.Client,
		Description: "Duration of HTTP client requests, from the first byte of the request to the last byte of the response.",
		Attributes:  append(attributes, httpAttributes()...),
	}
}

func serviceAttributes() []Attribute {
	return []Attribute{
		{Name: "service.name", Resource: true, text: func(l series.Labels) string { return l.ServiceName }},
		{Name: "service.namespace", Resource: true, text: func(l series.Labels) string { return l.ServiceNamespace }},
	}
}

// httpAttributes are those that both sides of a request have.
func httpAttributes() []Attribute {
	return []Attribute{
		{Name: "server.port", number: func(l series.Labels) uint16 { return l.ServerPort }},
		{Name: "http.request.method", text: func(l series.Labels) string { return l.Method }},
		{Name: "http.route", text: func(l series.Labels) string { return l.Route }},
		{Name: "http.response.status_code", number: func(l series.Labels) uint16 { return l.Status }},
		{Name: "url.scheme", text: func(l series.Labels) string { return l.Scheme }},
		{Name: "network.protocol.version", text: func(l series.Labels) string { return l.ProtocolVersion }},
		{Name: "error.type", text: func(l series.Labels) string { return l.ErrorType }},
	}
}
