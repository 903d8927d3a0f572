// Alerts about Sonde itself: it is not there, or does not see all there is.
local makeAlert = import '../lib/alert.libsonnet';
local slo = import '../lib/slo.libsonnet';

function(config)
  local alert(name, severity, pending, expr, summary, description) =
    makeAlert(config, name, severity, expr, pending, summary, description);
  local range = config.rateInterval;
  local selector = config.sondeSelector;
  local host = std.join(', ', slo.hostLabels(config));

  // A counter that begins to exist when it first counts has no increase then.
  local counted(metric, range) = |||
    increase(%(metric)s{%(selector)s}[%(range)s]) > 0
    or
    (%(metric)s{%(selector)s} > 0 unless %(metric)s{%(selector)s} offset %(range)s)
  ||| % { metric: metric, selector: selector, range: range };

  {
    name: 'sonde',
    rules: [
      alert(
        'SondeDown',
        'ticket',
        '5m',
        'up{%s} == 0' % selector,
        'Sonde on {{ $labels.instance }} cannot be scraped.',
        'Prometheus has had no answer from Sonde on {{ $labels.instance }} for five minutes. The services of this host are not measured, and no alert about them can fire.'
      ),
      // The only page: without any Sonde, no alert about services can fire either.
      alert(
        'SondeAbsent',
        'page',
        '10m',
        'absent(up{%s})' % selector,
        'Prometheus scrapes no Sonde at all.',
        'There is no target {%s}: either the scrape configuration has lost it, or the mixin selects by another job. No alert about services can fire.' % selector
      ),
      alert(
        'SondeObservationsLost',
        'ticket',
        '10m',
        |||
          sum by (%(host)s) (rate(sonde_lost_observations_total{%(selector)s}[%(range)s]))
          /
          (
            (
              sum by (%(host)s) (rate(sonde_lost_observations_total{%(selector)s}[%(range)s]))
            +
              sum by (%(host)s) (instance_role:http_requests:rate%(range)s)
            )
          or
            sum by (%(host)s) (rate(sonde_lost_observations_total{%(selector)s}[%(range)s]))
          )
          > %(ratio)s
        ||| % { selector: selector, range: range, host: host, ratio: config.lostObservationsRatio },
        'Sonde on {{ $labels.instance }} loses observations.',
        'Sonde on {{ $labels.instance }} does not count {{ $value | humanizePercentage }} of all requests. sonde_lost_observations_total tells the reasons.'
      ),
      alert(
        'SondeEventsLost',
        'ticket',
        '0m',
        'increase(sonde_lost_events_total{%s}[15m]) > 0' % selector,
        'Sonde on {{ $labels.instance }} has not followed all processes.',
        'Sonde on {{ $labels.instance }} has missed {{ $value | humanize }} listeners or processes within 15 minutes ({{ $labels.reason }}). Services may be missing from its metrics until it is restarted.'
      ),
      alert(
        'SondeSeriesOverflow',
        'ticket',
        '15m',
        'rate(sonde_series_overflow_total{%s}[%s]) > 0' % [selector, range],
        'Sonde on {{ $labels.instance }} has reached a limit on series.',
        'Sonde on {{ $labels.instance }} counts {{ $value | humanize }} requests a second without their route (http_route="_other"), because series.limit or series.limit_per_service is reached. Nothing is lost, but routes are not told apart.'
      ),
      alert(
        'SondeCollectorFailing',
        'ticket',
        '10m',
        'sonde_scrape_collector_success{%s} == 0' % selector,
        'The collector {{ $labels.collector }} of Sonde on {{ $labels.instance }} fails.',
        'The collector {{ $labels.collector }} of Sonde on {{ $labels.instance }} has had nothing to show for ten minutes. The log of Sonde tells why.'
      ),
      alert(
        'SondeMapNearlyFull',
        'ticket',
        '15m',
        'sonde_bpf_map_entries{%(selector)s, map!~"%(lru)s"} / sonde_bpf_map_max_entries{%(selector)s, map!~"%(lru)s"} > %(ratio)s' % {
          selector: selector,
          lru: std.join('|', config.lruMaps),
          ratio: config.mapFillRatio,
        },
        'The BPF map {{ $labels.map }} of Sonde on {{ $labels.instance }} is nearly full.',
        '{{ $value | humanizePercentage }} of the BPF map {{ $labels.map }} of Sonde on {{ $labels.instance }} are in use. What does not fit is lost, and counted as such.'
      ),
      alert(
        'SondeSeriesNearlyFull',
        'ticket',
        '15m',
        'sonde_series{%(selector)s} / sonde_series_limit{%(selector)s} > %(ratio)s' % { selector: selector, ratio: config.seriesRatio },
        'Sonde on {{ $labels.instance }} is near its limit on series.',
        'Sonde on {{ $labels.instance }} has {{ $value | humanizePercentage }} of the series that series.limit allows for. Once it has all, requests of new routes are counted without their route (http_route="_other").'
      ),
      alert(
        'SondeConfigReloadFailed',
        'ticket',
        '5m',
        'sonde_config_last_reload_successful{%s} == 0' % selector,
        'Sonde on {{ $labels.instance }} runs with an old configuration.',
        'Sonde on {{ $labels.instance }} has refused the configuration that it was last told to read, and runs with the one before. Its log tells what is wrong with the new one.'
      ),
      alert(
        'SondeSpansLost',
        'ticket',
        '15m',
        |||
          (
            sum by (%(host)s) (rate(sonde_spans_dropped_total{%(selector)s, reason!="ignored_route"}[%(range)s]))
          +
            sum by (%(host)s) (rate(sonde_spans_failed_total{%(selector)s}[%(range)s]))
          )
          /
          sum by (%(host)s) (rate(sonde_spans_sampled_total{%(selector)s}[%(range)s]))
          > %(ratio)s
        ||| % { selector: selector, range: range, host: host, ratio: config.lostSpansRatio },
        'Spans of Sonde on {{ $labels.instance }} are lost.',
        '{{ $value | humanizePercentage }} of the spans that Sonde on {{ $labels.instance }} samples do not arrive. sonde_spans_dropped_total and sonde_spans_failed_total tell the reasons; metrics are not concerned.'
      ),
      alert(
        'SondeMetricsExportFailing',
        'ticket',
        '10m',
        |||
          increase(sonde_otlp_metrics_exports_total{%(selector)s, result="failure"}[15m]) > 0
          unless ignoring (result)
          increase(sonde_otlp_metrics_exports_total{%(selector)s, result="success"}[15m]) > 0
        ||| % { selector: selector },
        'Sonde on {{ $labels.instance }} cannot push its metrics.',
        'No export of metrics by OTLP from Sonde on {{ $labels.instance }} has succeeded for 15 minutes. Its log tells why; the scrape is not concerned.'
      ),
      alert(
        'SondeTLSAttachFailed',
        'ticket',
        '0m',
        counted('sonde_tls_attach_failures_total', '15m'),
        'Sonde on {{ $labels.instance }} cannot attach to {{ $labels.library }}.',
        'Sonde on {{ $labels.instance }} has tried to attach to a TLS library ({{ $labels.library }}) and failed ({{ $labels.reason }}). HTTPS requests of its users are not measured; the log of Sonde names file and remedy.'
      ),
      alert(
        'SondeTLSHidden',
        'info',
        '1h',
        'sonde_tls_hidden_info{%s} == 1' % selector,
        'HTTPS requests of {{ with $labels.service_namespace }}{{ . }}/{{ end }}{{ $labels.service_name }} on {{ $labels.instance }} are not measured.',
        'Sonde cannot see into the TLS of {{ $labels.service_name }} on {{ $labels.instance }} ({{ $labels.library }}): {{ $labels.reason }}.'
      ),
    ],
  }
