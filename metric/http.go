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
	address := Attribute{
		Name: "server.address", Meaning: "Whom the client called: the `Host` of its requests, or else an address.",
		text: func(l series.Labels) string { return l.ServerAddress },
	}
	attributes := append(serviceAttributes(), address)
	return Definition{
		Name: "http.client.request.duration", Unit: Seconds, Role: series.Client,
		Description: "Duration of HTTP client requests, from the first byte of the request to the last byte of the response.",
		Attributes:  append(attributes, httpAttributes()...),
	}
}

func serviceAttributes() []Attribute {
	return []Attribute{
		{
			Name: "service.name", Meaning: "How the service is called; `sonde_service_info` tells who named it.",
			Resource: true, text: func(l series.Labels) string { return l.ServiceName },
		},
		{
			Name: "service.namespace", Meaning: "The group that the service belongs to; absent if it has none.",
			Resource: true, text: func(l series.Labels) string { return l.ServiceNamespace },
		},
	}
}

// httpAttributes are those that both sides of a request have.
func httpAttributes() []Attribute {
	return []Attribute{
		{
			Name: "server.port", Meaning: "The port that was called.",
			number: func(l series.Labels) uint16 { return l.ServerPort },
		},
		{
			Name: "http.request.method", Meaning: "The method; `_OTHER` is any that is not well known.",
			Values: Texts(series.Methods()...), text: func(l series.Labels) string { return l.Method },
		},
		{
			Name:    "http.route",
			Meaning: "The path without what changes from request to request, as `routes` says; `" + series.OtherRoute + "` is what a limit of `series` sent to the overflow series.",
			text:    func(l series.Labels) string { return l.Route },
		},
		{
			Name: "http.response.status_code", Meaning: "The status code; absent if there was no answer.",
			number: func(l series.Labels) uint16 { return l.Status },
		},
		{
			Name: "url.scheme", Meaning: "`https` inside TLS.",
			Values: Texts("http", "https"), text: func(l series.Labels) string { return l.Scheme },
		},
		{
			Name: "network.protocol.version", Meaning: "The version of HTTP, such as `1.1`.",
			text: func(l series.Labels) string { return l.ProtocolVersion },
		},
		{
			Name:    "error.type",
			Meaning: "Why the request failed; absent if it did not. For a server this is a status code from 500, for a client one from 400, or what broke.",
			Values:  failures(), text: func(l series.Labels) string { return l.ErrorType },
		},
	}
}

func failures() []Value {
	var values []Value
	for _, failure := range series.Failures() {
		values = append(values, Value{failure.Name, failure.Meaning})
	}
	return values
}
