// All services: rate, errors and duration of the requests that they answer.
local dashboard = import '../lib/dashboard.libsonnet';
local panels = import '../lib/panels.libsonnet';
local requests = import '../lib/requests.libsonnet';

function(config)
  local selector = 'job=~"$job", instance=~"$instance", service_namespace=~"$namespace"';
  local service = ['service_namespace', 'service_name'];
  // Many services have no namespace.
  local name = '{{service_name}} {{service_namespace}}';
  local interval = '$__rate_interval';

  local rate(range, labels) = requests.rate(requests.server, selector, range, labels);
  local errors(range, labels) = requests.errorRatio(requests.server, selector, range, labels);
  local quantile(q, range, labels) = requests.quantile(q, requests.server, selector, range, labels);
  // The largest of them, by what the panel shows.
  local top(expr) = [panels.query(requests.top(config, expr), name)];

  local toService = {
    title: 'Requests of ${__data.fields.service_name}',
    url: '/d/%s?%s&var-namespace=${__data.fields.service_namespace:percentencode}&var-service=${__data.fields.service_name:percentencode}'
         % [dashboard.uids.service, dashboard.handedOn],
    targetBlank: false,
  };

  local overview = [
    panels.stat(
      'Services',
      'Services that have answered requests within the time range.',
      'short',
      [panels.now('count(%s)' % rate('$__range', service))]
    ),
    panels.stat('Requests', 'Requests a second that all services answer.', 'reqps', [panels.query(rate(interval, []))]),
    panels.stat(
      'Errors',
      'The share of requests that fail: those with an error_type, such as the status 500 or a closed connection.',
      'percentunit',
      [panels.query(errors(interval, []))]
    ) + panels.coloured([[null, 'green'], [0.001, 'orange'], [0.01, 'red']]),
    panels.stat('Median', 'Half of all requests take no longer.', 's', [panels.query(quantile(0.5, interval, []))]),
    panels.stat('99th percentile', '99 of 100 requests take no longer.', 's', [panels.query(quantile(0.99, interval, []))]),
    panels.stat(
      'Sondes',
      'Hosts that are measured.',
      'short',
      [panels.query('count(sonde_build_info{job=~"$job", instance=~"$instance"})')]
    ),
  ];

  local table = panels.table(
    'Services',
    'Rate, errors and duration over the time range, and how they went. The name of a service leads to its routes.',
    [
      panels.rows(rate('$__range', service)),
      panels.rows(errors('$__range', service)),
      panels.rows(quantile(0.5, '$__range', service)),
      panels.rows(quantile(0.99, '$__range', service)),
      panels.query(rate(interval, service)),
      panels.query(errors(interval, service)),
      panels.query(quantile(0.99, interval, service)),
    ],
    [
      panels.column('service_name', 'Service', properties=[{ id: 'links', value: [toService] }]),
      panels.column('service_namespace', 'Namespace'),
      panels.column('Value #A', 'Rate', 'reqps'),
      panels.trend('E', 'Rate over time', 'reqps'),
      panels.column(
        'Value #B',
        'Errors',
        'percentunit',
        panels.cellColours([[null, 'text'], [0.001, 'orange'], [0.01, 'red']])
      ),
      panels.trend('F', 'Errors over time', 'percentunit'),
      panels.column('Value #C', 'Median', 's'),
      panels.column('Value #D', '99th percentile', 's'),
      panels.trend('G', '99th percentile over time', 's'),
    ],
    sortBy='Rate'
  ) + panels.sized(24, 14);

  dashboard.new(
    config,
    dashboard.uids.services,
    'Sonde / Services',
    'Rate, errors and duration of the requests that services answer.',
    [dashboard.variables.job, dashboard.variables.instance, dashboard.variables.namespace],
    [
      { title: 'Overview', panels: overview },
      { title: 'All services', panels: [table] },
      {
        title: 'Over time',
        panels: [
          panels.timeseries(
            'Rate',
            'Requests a second, of the busiest services.',
            'reqps',
            top(function(range) rate(range, service))
          ),
          panels.timeseries(
            'Errors',
            'The share of requests that fail, of the services where it is largest.',
            'percentunit',
            top(function(range) errors(range, service))
          ),
          panels.timeseries(
            '99th percentile',
            '99 of 100 requests take no longer, of the slowest services.',
            's',
            top(function(range) quantile(0.99, range, service))
          ),
        ],
      },
    ]
  )
