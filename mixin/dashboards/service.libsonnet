// One service: its requests by route, and the calls that it makes.
local dashboard = import '../lib/dashboard.libsonnet';
local panels = import '../lib/panels.libsonnet';
local requests = import '../lib/requests.libsonnet';
local slo = import '../lib/slo.libsonnet';

function(config)
  local identity = 'service_namespace=~"$namespace", service_name="$service"';
  local selector = 'job=~"$job", instance=~"$instance", ' + identity;
  local interval = '$__rate_interval';
  local route = ['http_request_method', 'http_route'];
  local metric = 'http_${role}_request_duration_seconds';
  // The largest, a line each; and all the others as one, for what is stacked.
  local top(expr, legend) = [panels.query(requests.top(config, expr), legend)];
  local topAndOthers(expr, legend) =
    top(expr, legend) + [panels.query(requests.others(config, expr), 'others')];

  local rate(range, labels) = requests.rate(metric, selector, range, labels);
  local errors(range, labels) = requests.errorRatio(metric, selector, range, labels);
  local quantile(q, range, labels) = requests.quantile(q, metric, selector, range, labels);

  // Explore, with the traces of this service in which it has the chosen role.
  local traces = if !config.dashboards.tempo then [] else [{
    title: 'Traces of ${service}',
    url: '/explore?schemaVersion=1&panes=' +
         '%7B%22sonde%22:%7B%22datasource%22:%22${tempo}%22,%22queries%22:%5B%7B%22refId%22:%22A%22,' +
         '%22datasource%22:%7B%22type%22:%22tempo%22,%22uid%22:%22${tempo}%22%7D,%22queryType%22:%22traceql%22,' +
         '%22query%22:%22%7Bresource.service.name%3D%5C%22${service:percentencode}%5C%22%20%26%26%20kind%3D${role}%7D%22%7D%5D,' +
         '%22range%22:%7B%22from%22:%22${__from}%22,%22to%22:%22${__to}%22%7D%7D%7D',
    targetBlank: true,
  }];

  local overview = [
    panels.stat('Requests', 'Requests a second.', 'reqps', [panels.query(rate(interval, []))]),
    panels.stat('Errors', 'The share of requests that fail.', 'percentunit', [panels.query(errors(interval, []))])
    + panels.coloured([[null, 'green'], [0.001, 'orange'], [0.01, 'red']]),
    panels.stat('Median', 'Half of the requests take no longer.', 's', [panels.query(quantile(0.5, interval, []))]),
    panels.stat('99th percentile', '99 of 100 requests take no longer.', 's', [panels.query(quantile(0.99, interval, []))]),
    panels.stat(
      'Hosts',
      'Hosts on which this service has had requests within the time range.',
      'short',
      [panels.now('count(%s)' % rate('$__range', ['instance']))]
    ),
    panels.stat(
      'Ports',
      'The ports on which it listens, as Sonde has found it.',
      'string',
      [panels.now('sum by (server_ports) (sonde_service_info{%s})' % selector, '{{server_ports}}')]
    ) { options+: { textMode: 'name', graphMode: 'none' } },
  ];

  local status = 'http_response_status_code';
  local traffic = [
    panels.timeseries(
      'Rate by route',
      'Requests a second, of the routes that are busiest over the time range.',
      'reqps',
      topAndOthers(function(range) rate(range, route), '{{http_request_method}} {{http_route}}')
    ) + panels.stacked,
    panels.timeseries(
      'Rate by status',
      'Requests a second by the status of their answer.',
      'reqps',
      [panels.query(
        'label_replace(%s, "%s", "no answer", "%s", "")' % [rate(interval, [status]), status, status],
        '{{%s}}' % status
      )]
    ) + panels.stacked,
    panels.timeseries(
      'Errors by type',
      'The share of all requests that fail, by error_type: a status, or what became of the connection.',
      'percentunit',
      [panels.query(
        |||
          %s
          / ignoring (error_type) group_left ()
          (
            %s
            > 0
          )
        ||| % [
          requests.rate(metric, requests.selector([selector, requests.errors]), interval, ['error_type']),
          std.strReplace(rate(interval, []), '\n', '\n  '),
        ],
        '{{error_type}}'
      )]
    ) + panels.stacked,
  ];

  local latency = [
    panels.timeseries(
      'Quantiles',
      'How long requests take at most: half, 90 and 99 of 100 of them. Points are sampled requests, and lead to their traces.',
      's',
      [
        panels.query(quantile(0.5, interval, []), 'median'),
        panels.query(quantile(0.9, interval, []), '90th'),
        panels.query(quantile(0.99, interval, []), '99th', exemplars=true),
      ]
    ) + panels.sized(12) + panels.linked(traces),
    panels.heatmap(
      'Durations',
      'How many requests took how long.',
      's',
      [panels.query(requests.heatmap(metric, selector, interval), '{{le}}') { format: 'heatmap' }]
    ) + panels.sized(12),
  ];

  local routes = [
    panels.table(
      'Routes',
      'Rate, errors and duration over the time range, the slowest routes first.',
      [
        panels.rows(rate('$__range', route)),
        panels.rows(errors('$__range', route)),
        panels.rows(quantile(0.5, '$__range', route)),
        panels.rows(quantile(0.99, '$__range', route)),
        panels.query(rate(interval, route)),
      ],
      [
        panels.column('http_request_method', 'Method', properties=[{ id: 'custom.width', value: 100 }]),
        panels.column('http_route', 'Route'),
        panels.column('Value #A', 'Rate', 'reqps'),
        panels.trend('E', 'Rate over time', 'reqps'),
        panels.column(
          'Value #B',
          'Errors',
          'percentunit',
          panels.cellColours([[null, 'text'], [0.001, 'orange'], [0.01, 'red']])
        ),
        panels.column('Value #C', 'Median', 's'),
        panels.column('Value #D', '99th percentile', 's'),
      ],
      sortBy='99th percentile'
    ),
  ];

  local peer = ['server_address', 'server_port'];
  local peerName = '{{server_address}}:{{server_port}}';
  local calls = [
    panels.timeseries(
      'Calls',
      'Requests a second that this service makes, by whom they go to.',
      'reqps',
      topAndOthers(function(range) requests.rate(requests.client, selector, range, peer), peerName)
    ) + panels.stacked,
    panels.timeseries(
      'Errors of calls',
      'The share of calls that fail; for who calls, a status from 400 on is an error.',
      'percentunit',
      top(function(range) requests.errorRatio(requests.client, selector, range, peer), peerName)
    ),
    panels.timeseries(
      '99th percentile of calls',
      '99 of 100 calls take no longer.',
      's',
      top(function(range) requests.quantile(0.99, requests.client, selector, range, peer), peerName)
    ),
  ];

  local objective(title, description, burn) = panels.timeseries(
    title,
    description + ' 1 uses the error budget up exactly at its end. From the recording rules of the mixin, for requests that the service answers.',
    'none',
    [
      panels.query('%s{job=~"$job", %s}' % [burn(window), identity], window)
      for window in slo.windows(config)
    ]
  ) + panels.sized(12);

  local hosts = [
    panels.timeseries(
      'Rate by host',
      'Requests a second, as the Sonde of each host has counted them.',
      'reqps',
      topAndOthers(function(range) rate(range, ['instance']), '{{instance}}')
    ) + panels.sized(12) + panels.stacked,
    panels.timeseries(
      'Connections',
      'New connections a second by what they speak. Requests are measured only on those that Sonde can read.',
      'cps',
      [panels.query(
        'sum by (protocol, tls, visible) (rate(sonde_connections_total{%s, role="$role"}[%s]))' % [selector, interval],
        '{{protocol}}, TLS {{tls}}, measured {{visible}}'
      )]
    ) + panels.sized(12),
  ];

  dashboard.new(
    config,
    dashboard.uids.service,
    'Sonde / Service',
    'The requests of one service, and the calls that it makes.',
    [
      dashboard.variables.job,
      dashboard.variables.instance,
      dashboard.variables.namespace,
      dashboard.variables.one(
        'service',
        'Service',
        'label_values(sonde_service_info{job=~"$job", instance=~"$instance", service_namespace=~"$namespace"}, service_name)'
      ),
      dashboard.variables.custom('role', 'Role', ['server', 'client']),
    ] + (if config.dashboards.tempo then [dashboard.variables.tempo] else []),
    [
      { title: 'As $role', panels: overview },
      { title: 'Traffic', panels: traffic },
      { title: 'Latency', panels: latency },
      { title: 'Routes', panels: routes },
      { title: 'Calls of this service', panels: calls },
      {
        title: 'Objectives',
        panels: [
          objective('Burn rate of availability', 'How fast requests that fail use up the error budget.', slo.errorBurn),
          objective('Burn rate of latency', 'How fast slow requests use up the error budget.', slo.latencyBurn),
        ],
      },
      { title: 'Hosts', panels: hosts },
    ]
  )
