// How fast services burn their error budgets: 1 means just as fast as the objective
// allows for. Objectives are recorded too, so that one alert serves all services.
local requests = import '../lib/requests.libsonnet';
local slo = import '../lib/slo.libsonnet';

function(config)
  local classes = slo.classes(config);
  local withAvailability = std.filter(function(class) class.availability != null, classes);
  local withLatency = std.filter(function(class) class.latency != null, classes);

  local union(expressions) = std.join('\nor\n', expressions) + '\n';

  // A constant for every service that has traffic.
  local objective(class, value) = '0 * %s + %.9g' % [slo.select(slo.requests(config), class), value];

  // Requests without an error that took longer than they may: errors are on the
  // account of availability already.
  local slow(class) =
    assert std.member(config.histogramBuckets, class.latency.threshold) :
           'a latency threshold of %g s is none of histogramBuckets' % class.latency.threshold;
    requests.slower(
      class.latency.threshold,
      requests.server,
      requests.selector([config.sondeSelector, class.matchers, requests.noErrors]),
      config.rateInterval,
      slo.labels(config)
    ) + '\nor\n0 * ' + slo.select(slo.answers(config), class);

  // Sums of recorded rates weigh each moment by its traffic, as a rate over the whole
  // window would, but also over three days they are cheap.
  local over(record, window) =
    if window == config.rateInterval then record else 'sum_over_time(%s[%s])' % [record, window];
  local burn(record, bad, all, objective, window) = {
    record: record,
    expr: |||
      %(bad)s
      /
      (%(all)s > 0)
      /
      (1 - %(objective)s)
    ||| % { bad: over(bad, window), all: over(all, window), objective: objective },
  };

  local availability = [
    {
      record: slo.availability,
      expr: union([objective(class, class.availability) for class in withAvailability]),
    },
  ] + [
    burn(slo.errorBurn(window), slo.errors(config), slo.requests(config), slo.availability, window)
    for window in slo.windows(config)
  ];
  local latency = [
    {
      record: slo.latency,
      expr: union([objective(class, class.latency.objective) for class in withLatency]),
    },
    { record: slo.answers(config), expr: '%s - %s' % [slo.requests(config), slo.errors(config)] },
    { record: slo.slow(config), expr: union([slow(class) for class in withLatency]) },
  ] + [
    burn(slo.latencyBurn(window), slo.slow(config), slo.answers(config), slo.latency, window)
    for window in slo.windows(config)
  ];

  {
    name: 'sonde-objectives',
    rules:
      (if withAvailability == [] then [] else availability)
      + (if withLatency == [] then [] else latency),
  }
