package config

import "time"

// targetDraft is a Target in the making.
type targetDraft struct {
	endpoint    located[string]
	form        endpointForm
	protocol    located[string]
	compression located[string]
	timeout     located[time.Duration]

	headers                          located[Headers]
	headersFile                      located[string]
	username, password, passwordFile located[string]

	caFile, certFile, keyFile, serverName located[string]
	skipVerify                            located[bool]
	insecure                              located[bool] // for an endpoint without a scheme
}

// tracesDraft is a Traces in the making.
type tracesDraft struct {
	targetDraft
	sampler, samplerArg   located[string]
	keepErrors            located[bool]
	keepSlowerThan        located[time.Duration]
	queueSize, batchSize  located[int]
	batchTimeout          located[time.Duration]
	query                 located[bool]
	scrubQuery, reqHeader located[[]string]
}

// metricsDraft is a MetricsExport in the making.
type metricsDraft struct {
	targetDraft
	interval  located[time.Duration]
	histogram located[string]
}

func newTargetDraft(c Target) targetDraft {
	return targetDraft{
		compression: located[string]{value: c.Compression},
		timeout:     located[time.Duration]{value: c.Timeout},
	}
}

func newTracesDraft() tracesDraft {
	c := defaultTraces()
	return tracesDraft{
		targetDraft:  newTargetDraft(c.Target),
		sampler:      located[string]{value: c.Sampler},
		queueSize:    located[int]{value: c.QueueSize},
		batchSize:    located[int]{value: c.BatchSize},
		batchTimeout: located[time.Duration]{value: c.BatchTimeout},
		scrubQuery:   located[[]string]{value: c.ScrubQuery},
	}
}

func newMetricsDraft() metricsDraft {
	c := defaultMetricsExport()
	return metricsDraft{
		targetDraft: newTargetDraft(c.Target),
		interval:    located[time.Duration]{value: c.Interval},
		histogram:   located[string]{value: c.Histogram},
	}
}

// settings are the keys that both sections have. insecure_skip_verify beside
// tls is the spelling of Beyla.
func (t *targetDraft) settings() []setting {
	lasting := func(value *located[time.Duration]) setter { return field[time.Duration]{value, duration} }
	inline, headerFile := headers(&t.headers), path(&t.headersFile)
	password, passwordFile := secret(&t.password), path(&t.passwordFile)
	return []setting{
		{name: "endpoint", value: word(&t.endpoint)},
		{name: "protocol", value: word(&t.protocol)},
		{name: "headers", value: inline, instead: headerFile},
		{name: "headers_file", value: headerFile, instead: inline},
		{name: "basic_auth.username", value: word(&t.username)},
		{name: "basic_auth.password", value: password, instead: passwordFile},
		{name: "basic_auth.password_file", value: passwordFile, instead: password},
		{name: "tls.ca_file", value: path(&t.caFile)},
		{name: "tls.cert_file", value: path(&t.certFile)},
		{name: "tls.key_file", value: path(&t.keyFile)},
		{name: "tls.server_name", value: word(&t.serverName)},
		{name: "tls.insecure_skip_verify", value: onOff(&t.skipVerify)},
		{name: "insecure_skip_verify", value: onOff(&t.skipVerify)},
		{name: "compression", value: word(&t.compression)},
		{name: "timeout", value: lasting(&t.timeout)},
	}
}

func (t *tracesDraft) settings() []setting {
	lasting := func(value *located[time.Duration]) setter { return field[time.Duration]{value, duration} }
	return append(t.targetDraft.settings(),
		setting{name: "sampler.name", value: word(&t.sampler)},
		setting{name: "sampler.arg", value: word(&t.samplerArg)},
		setting{name: "keep_errors", value: onOff(&t.keepErrors)},
		setting{name: "keep_slower_than", value: lasting(&t.keepSlowerThan)},
		setting{name: "queue_size", value: number(&t.queueSize)},
		setting{name: "batch_size", value: number(&t.batchSize)},
		setting{name: "batch_timeout", value: lasting(&t.batchTimeout)},
		setting{name: "query", value: onOff(&t.query)},
		setting{name: "scrub_query", value: words(&t.scrubQuery)},
		setting{name: "request_headers", value: words(&t.reqHeader)},
	)
}

func (m *metricsDraft) settings() []setting {
	return append(m.targetDraft.settings(),
		setting{name: "interval", value: field[time.Duration]{&m.interval, duration}},
		setting{name: "histogram", value: field[string]{&m.histogram, histogramName}},
	)
}

// histogramName understands the names of the OTLP exporter specification, which
// are also Beyla's, and those of Sonde.
func histogramName(text string) (string, error) {
	switch text {
	case "explicit_bucket_histogram":
		return HistogramExplicit, nil
	case "base2_exponential_bucket_histogram":
		return HistogramExponential, nil
	}
	return text, nil
}

// exportSpellings are those of Grafana Beyla in its two export sections.
func exportSpellings() map[string]string {
	return map[string]string{
		"max_queue_size":        "queue_size",
		"max_export_batch_size": "batch_size",
		"histogram_aggregation": "histogram",
	}
}
