// Alerts about services: their error budgets burn too fast, over a long window, and
// over a short one, so that the alert ends soon after its cause.
local makeAlert = import '../lib/alert.libsonnet';
local slo = import '../lib/slo.libsonnet';

// The identity of a service, for people.
local service = '{{ with $labels.service_namespace }}{{ . }}/{{ end }}{{ $labels.service_name }}';

function(config)
  // The rates of all minutes, times their seconds, are a number of requests. An average
  // would take a service that has come a minute ago for one that was there all the time.
  local burning(bad, burn, pair) = |||
    (
      %(long)s > %(factor)s
    and
      %(short)s > %(factor)s
    )
    and
    sum_over_time(%(bad)s[%(window)s:1m]) * 60 > %(minimum)s
  ||| % {
    long: burn(pair.long),
    short: burn(pair.short),
    factor: pair.factor,
    bad: bad,
    window: pair.long,
    minimum: config.minimumBadRequests,
  };

  local alert(name, bad, burn, summary, description) = [
    makeAlert(
      config,
      name,
      pair.severity,
      burning(bad, burn, pair),
      pair['for'],
      summary % service,
      description % { service: service, long: pair.long, short: pair.short },
      labels={ long_window: pair.long, short_window: pair.short }
    )
    for pair in config.burnRates
  ];

  {
    name: 'sonde-services',
    rules:
      alert(
        'ServiceErrorBudgetBurn',
        slo.errors(config),
        slo.errorBurn,
        'Too many requests to %s fail.',
        |||-
          Over the last %(long)s, %(service)s has used up its error budget {{ printf "%%.1f" $value }} times as fast as its objective allows for, and it still does. Requests fail that have the label error_type.
        |||
      )
      + alert(
        'ServiceLatencyBudgetBurn',
        slo.slow(config),
        slo.latencyBurn,
        'Too many requests to %s are slow.',
        |||-
          Over the last %(long)s, %(service)s has answered slowly {{ printf "%%.1f" $value }} times as often as its objective allows for, and it still does. Requests that failed are not among them.
        |||
      ),
  }
