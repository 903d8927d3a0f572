// Alerts about services: their error budgets burn too fast, over a long window, and
// over a short one, so that the alert ends soon after its cause.
local makeAlert = import '../lib/alert.libsonnet';
local slo = import '../lib/slo.libsonnet';

// The identity of a service, for people.
local service = '{{ with $labels.service_namespace }}{{ . }}/{{ end }}{{ $labels.service_name }}';

function(config)
  local burning(burn, pair) = |||
    (
      %(long)s > %(factor)s
    and
      %(short)s > %(factor)s
    )
    and
    avg_over_time(%(requests)s[%(window)s]) > %(minimum)s
  ||| % {
    long: burn(pair.long),
    short: burn(pair.short),
    factor: pair.factor,
    requests: slo.requests(config),
    window: pair.long,
    minimum: config.minimumRequestRate,
  };

  local alert(name, burn, summary, description) = [
    makeAlert(
      config,
      name,
      pair.severity,
      burning(burn, pair),
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
        slo.errorBurn,
        'Too many requests to %s fail.',
        |||-
          Over the last %(long)s, %(service)s has used up its error budget {{ printf "%%.1f" $value }} times as fast as its objective allows for, and it still does. Requests fail that have the label error_type.
        |||
      )
      + alert(
        'ServiceLatencyBudgetBurn',
        slo.latencyBurn,
        'Too many requests to %s are slow.',
        |||-
          Over the last %(long)s, %(service)s has answered slowly {{ printf "%%.1f" $value }} times as often as its objective allows for, and it still does. Requests that failed are not among them.
        |||
      ),
  }
