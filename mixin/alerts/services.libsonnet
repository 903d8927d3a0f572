// Alerts about services: their error budgets burn too fast, over a long window, and
// over a short one, so that the alert ends soon after its cause.
local makeAlert = import '../lib/alert.libsonnet';
local slo = import '../lib/slo.libsonnet';

// The identity of a service, for people.
local service = '{{ with $labels.service_namespace }}{{ . }}/{{ end }}{{ $labels.service_name }}';

function(config)
  // The rates of all steps, times the length of one, are a number of requests, as long as
  // a step is no longer than what a rate is over. An average would take a service that has
  // come a minute ago for one that was there all the time.
  local step(pair) = std.min(slo.seconds(pair.long) / 60, slo.seconds(config.rateInterval));
  local burning(bad, burn, pair, services) = |||
    (
      %(long)s > %(factor)s
    and
      %(short)s > %(factor)s
    )
    and
    sum_over_time(%(bad)s[%(window)s:%(step)ds]) * %(step)d > %(minimum)s
  ||| % {
    long: slo.matching(burn(pair.long), services),
    short: burn(pair.short),
    factor: pair.factor,
    bad: bad,
    window: pair.long,
    step: step(pair),
    minimum: config.minimumBadRequests,
  };

  // Who is paged, and who gets a ticket of the same burn rate instead.
  local parts(severity) =
    if severity != 'page' then [{ severity: severity, matcher: '' }] else [
      { severity: if part.page then 'page' else 'ticket', matcher: part.matcher }
      for part in slo.paging(config)
    ];

  local alert(name, bad, burn, summary, description) = [
    makeAlert(
      config,
      name,
      part.severity,
      burning(bad, burn, pair, part.matcher),
      pair['for'],
      summary % service,
      description % { service: service, long: pair.long, short: pair.short },
      labels={ long_window: pair.long, short_window: pair.short }
    )
    for pair in config.burnRates
    for part in parts(pair.severity)
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
