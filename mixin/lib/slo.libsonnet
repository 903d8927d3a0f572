// What rules, alerts and dashboards have to agree on about objectives.
local seconds(duration) =
  local last = std.length(duration) - 1;
  std.parseInt(duration[:last]) * { s: 1, m: 60, h: 3600, d: 86400, w: 604800 }[duration[last]];

// literally is a regular expression that matches a text and nothing else.
local literally(text) =
  std.join('', [
    if std.member('\\.+*?()|[]{}^$', char) then '\\' + char else char
    for char in std.stringChars(text)
  ]);

{
  // seconds is how long a duration of Prometheus with one unit is.
  seconds:: seconds,

  // labels tell one service from another.
  labels(config):: config.aggregationLabels + ['service_namespace', 'service_name'],

  // hostLabels tell one Sonde from another.
  hostLabels(config):: config.aggregationLabels + ['instance'],

  // classes are the services with objectives of their own, and one for the rest. Each
  // has the matchers that select it.
  classes(config)::
    local default = { availability: null, latency: null, page: false } + config.slo.default;
    local names = std.objectFields(config.slo.services);
    [
      default { matchers: std.join(', ', ['service_name!=%s' % std.escapeStringJson(name) for name in names]) },
    ] + [
      default { page: true } + config.slo.services[name] + {
        name: name,
        matchers: 'service_name=%s' % std.escapeStringJson(name),
      }
      for name in names
    ],

  // paging splits all services into those that somebody is paged for, and the rest. Each
  // part has a matcher that selects it; one that nobody belongs to is left out.
  paging(config)::
    local classes = $.classes(config);
    local default = classes[0].page;
    local exceptions = [class.name for class in classes[1:] if class.page != default];
    local names = std.escapeStringJson(std.join('|', std.map(literally, exceptions)));
    if exceptions == [] then [{ page: default, matcher: '' }] else [
      { page: !default, matcher: 'service_name=~' + names },
      { page: default, matcher: 'service_name!~' + names },
    ],

  // select narrows what is recorded of all services down to a class.
  select(record, class):: $.matching(record, class.matchers),
  matching(record, matchers):: if matchers == '' then record else '%s{%s}' % [record, matchers],

  // windows are all windows over which budgets burn, the shortest first.
  windows(config)::
    std.set([pair[end] for pair in config.burnRates for end in ['short', 'long']], seconds),

  // The names of what is recorded.
  requests(config):: 'service:http_server_requests:rate' + config.rateInterval,
  errors(config):: 'service:http_server_errors:rate' + config.rateInterval,
  slow(config):: 'service:http_server_slow:rate' + config.rateInterval,
  answers(config):: 'service:http_server_answers:rate' + config.rateInterval,
  availability:: 'service:http_server_availability:objective',
  latency:: 'service:http_server_latency:objective',
  errorBurn(window):: 'service:http_server_errors:burnrate' + window,
  latencyBurn(window):: 'service:http_server_slow:burnrate' + window,
}
