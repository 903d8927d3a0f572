// Rate, errors and duration of the requests that services answer: by route, and of
// each service as a whole.
local requests = import '../lib/requests.libsonnet';
local slo = import '../lib/slo.libsonnet';

function(config)
  local range = config.rateInterval;
  local service = slo.labels(config);
  local route = service + ['http_request_method', 'http_route'];
  local selector = config.sondeSelector;

  local rate = 'http_server_requests:rate' + range;
  local errorRate = 'http_server_errors:rate' + range;
  local errorRatio = 'http_server_errors_per_requests:ratio_rate' + range;
  local duration = requests.server + ':histogram_quantile' + range;

  // Errors have a series, of zeros, wherever requests have one.
  local errors(level, labels) = {
    record: level + ':' + errorRate,
    expr: |||
      %s
      or
      0 * %s:%s
    ||| % [requests.rate(requests.server, requests.selector([selector, requests.errors]), range, labels), level, rate],
  };
  local ratio(level) = {
    record: '%s:%s' % [level, errorRatio],
    expr: '%(level)s:%(errors)s / (%(level)s:%(all)s > 0)' % { level: level, errors: errorRate, all: rate },
  };
  local quantiles(level, labels) = [
    {
      record: '%s_quantile:%s' % [level, duration],
      labels: { quantile: '%g' % quantile },
      expr: requests.quantile(quantile, requests.server, selector, range, labels) + '\n',
    }
    for quantile in config.quantiles
  ];
  local sum(record) = {
    record: 'service:' + record,
    expr: 'sum by (%s) (service_route:%s)' % [std.join(', ', service), record],
  };
  local ofHost(role, metric) = {
    record: 'instance_role:http_requests:rate' + range,
    labels: { role: role },
    expr: requests.rate(metric, selector, range, slo.hostLabels(config)) + '\n',
  };

  {
    name: 'sonde-requests',
    rules:
      [
        {
          record: 'service_route:' + rate,
          expr: requests.rate(requests.server, selector, range, route) + '\n',
        },
        errors('service_route', route),
        ratio('service_route'),
      ]
      + quantiles('service_route', route)
      + [sum(rate), sum(errorRate), ratio('service')]
      + quantiles('service', service)
      + [ofHost('server', requests.server), ofHost('client', requests.client)],
  }
