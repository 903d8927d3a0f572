// Sonde itself: what it costs, and what it does not see.
local dashboard = import '../lib/dashboard.libsonnet';
local panels = import '../lib/panels.libsonnet';

function(config)
  local selector = 'job=~"$job", instance=~"$instance"';
  local query(expr, legend='') = panels.query(std.strReplace(expr, '{}', '{%s}' % selector), legend);
  local rows(expr) = panels.rows(std.strReplace(expr, '{}', '{%s}' % selector));

  // A Sonde that has been down for long has no job left to choose.
  local up = 'up{%s, instance=~"$instance"}' % config.sondeSelector;

  local overview = [
    panels.stat('Up', 'Sondes that Prometheus reaches, of all that it scrapes.', 'percentunit', [panels.query('avg(%s)' % up)])
    + panels.coloured([[null, 'red'], [1, 'green']]),
    panels.stat(
      'Lost observations',
      'Requests within the time range that could not be counted.',
      'short',
      [panels.now('sum(increase(sonde_lost_observations_total{%s}[$__range]))' % selector)]
    ) + panels.coloured([[null, 'green'], [1, 'red']]) { options+: { graphMode: 'none' } },
    panels.stat(
      'Kernel time',
      'The share of one CPU that the BPF programs take, of the host where it is largest.',
      'percentunit',
      [query('max(sum by (instance) (rate(sonde_bpf_program_run_seconds_total{}[$__rate_interval])))')]
    ),
    panels.stat('Series', 'Series in the kernels of all hosts.', 'short', [query('sum(sonde_series{})')]),
    panels.stat('Services', 'Services that were found, on all hosts.', 'short', [query('count(sonde_service_info{})')]),
    panels.stat(
      'Configuration',
      'Whether all Sondes have taken the configuration that they were last told to read.',
      'bool_yes_no',
      [query('min(sonde_config_last_reload_successful{})')]
    ) + panels.coloured([[null, 'red'], [1, 'green']]),
    panels.table(
      'Hosts',
      'All Sondes that Prometheus scrapes, those first that it does not reach now.',
      [panels.rows(up)],
      [
        panels.column('instance', 'Sonde'),
        panels.column('job', 'Job'),
        panels.column('Value', 'Up', 'bool_yes_no', panels.cellColours([[null, 'red'], [1, 'green']])),
      ],
      sortBy='Up',
      descending=false
    ) + panels.sized(24, 6),
  ];

  local cost = [
    panels.timeseries(
      'Kernel time by program',
      'The share of one CPU that each BPF program takes, added up over the hosts.',
      'percentunit',
      [query('sum by (program) (rate(sonde_bpf_program_run_seconds_total{}[$__rate_interval]))', '{{program}}')]
    ) + panels.stacked,
    panels.timeseries(
      'Time per run',
      'How long one run of a BPF program takes on average.',
      's',
      [query(
        |||
          sum by (program) (rate(sonde_bpf_program_run_seconds_total{}[$__rate_interval]))
          /
          (sum by (program) (rate(sonde_bpf_program_runs_total{}[$__rate_interval])) > 0)
        |||,
        '{{program}}'
      )]
    ),
    panels.timeseries(
      'Runs',
      'How often a BPF program runs: mostly once a packet.',
      'ops',
      [query('sum by (program) (rate(sonde_bpf_program_runs_total{}[$__rate_interval]))', '{{program}}')]
    ),
    panels.timeseries(
      'Process CPU',
      'The share of one CPU that the process takes: scrapes, discovery and export.',
      'percentunit',
      [query('rate(process_cpu_seconds_total{}[$__rate_interval])', '{{instance}}')]
    ),
    panels.timeseries(
      'Process memory',
      "Memory of the process. That of the BPF maps is the kernel's, and not part of it.",
      'bytes',
      [query('process_resident_memory_bytes{}', '{{instance}}')]
    ),
    panels.timeseries('Goroutines', 'Goroutines of the process.', 'short', [query('go_goroutines{}', '{{instance}}')]),
  ];

  local completeness = [
    panels.timeseries(
      'Lost observations',
      'Requests a second that could not be counted, by reason.',
      'reqps',
      [query('sum by (reason) (rate(sonde_lost_observations_total{}[$__rate_interval]))', '{{reason}}')]
    ) + panels.stacked,
    panels.timeseries(
      'Lost events',
      'Listeners and processes a second that could not be followed, by reason.',
      'ops',
      [query('sum by (reason) (rate(sonde_lost_events_total{}[$__rate_interval]))', '{{reason}}')]
    ) + panels.stacked,
    panels.timeseries(
      'Overflow',
      'Requests a second that a limit on series sent to the route _other, and responses that answer no request.',
      'reqps',
      [
        query('sum by (instance) (rate(sonde_series_overflow_total{}[$__rate_interval]))', 'overflow, {{instance}}'),
        query('sum by (instance) (rate(sonde_unsolicited_responses_total{}[$__rate_interval]))', 'unsolicited, {{instance}}'),
      ]
    ),
    panels.timeseries(
      'Fill of maps',
      'How full the BPF maps are, of the host where it is most. Some drop their oldest entries when they are full: %s.' % std.join(', ', config.lruMaps),
      'percentunit',
      [query('max by (map) (sonde_bpf_map_entries{} / sonde_bpf_map_max_entries{})', '{{map}}')]
    ) + panels.between(0, 1),
    panels.timeseries(
      'Series',
      'Series in the kernel, by host, and the smallest limit of a host. What comes after it goes to the route _other.',
      'short',
      [query('sonde_series{}', '{{instance}}'), query('min(sonde_series_limit{})', 'limit')]
    ) + panels.dashed('limit'),
    panels.timeseries(
      'Connections',
      'New connections a second of all services, by what they speak. Requests are measured only where Sonde can read.',
      'cps',
      [query(
        'sum by (protocol, tls, visible) (rate(sonde_connections_total{}[$__rate_interval]))',
        '{{protocol}}, TLS {{tls}}, measured {{visible}}'
      )]
    ),
  ];

  local scrape = [
    panels.timeseries(
      'Duration of scrapes',
      'How long Prometheus waits for all metrics.',
      's',
      [query('scrape_duration_seconds{}', '{{instance}}')]
    ),
    panels.timeseries(
      'Duration by collector',
      'How long each collector takes, on the host where it is slowest.',
      's',
      [query('max by (collector) (sonde_scrape_collector_duration_seconds{})', '{{collector}}')]
    ),
    panels.timeseries(
      'Samples',
      'How many samples a scrape has.',
      'short',
      [query('scrape_samples_scraped{}', '{{instance}}')]
    ),
    panels.timeseries(
      'Collectors that succeed',
      'The share of scrapes in which a collector has something to show.',
      'percentunit',
      [query('avg by (collector) (sonde_scrape_collector_success{})', '{{collector}}')]
    ) + panels.between(0, 1) + panels.sized(12),
    panels.table(
      'Hooks',
      'Where Sonde listens in the kernel, and on how many hosts.',
      [rows('count by (tap, hook) (sonde_tap_info{})')],
      [panels.column('tap', 'Tap'), panels.column('hook', 'Hook'), panels.column('Value', 'Hosts', 'short')]
    ) + panels.sized(12, 8),
  ];

  local tls = [
    panels.timeseries(
      'Files with uprobes',
      'Files of TLS libraries, and of programs with one inside, that Sonde is attached to.',
      'short',
      [query('sum by (library) (sonde_tls_attached_files{})', '{{library}}')]
    ),
    panels.timeseries(
      'Failures to attach',
      'Attempts to attach to a TLS library that have failed so far. Empty while there are none.',
      'short',
      [query('sum by (library, reason) (sonde_tls_attach_failures_total{})', '{{library}}: {{reason}}')]
    ),
    panels.table(
      'Hidden TLS',
      'Services whose HTTPS cannot be measured, and why. Empty while there are none.',
      [rows('count by (service_namespace, service_name, library, reason) (sonde_tls_hidden_info{})')],
      [
        panels.column('service_namespace', 'Namespace'),
        panels.column('service_name', 'Service'),
        panels.column('library', 'Library'),
        panels.column('reason', 'Reason'),
        panels.column('Value', 'Hosts', 'short'),
      ]
    ) + panels.sized(8, 8),
  ];

  local exports = [
    panels.timeseries(
      'Spans',
      'Sampled requests a second, and what became of them. Empty where no traces are exported.',
      'ops',
      [
        query('sum(rate(sonde_spans_%s_total{}[$__rate_interval]))' % fate, fate)
        for fate in ['sampled', 'exported', 'dropped', 'failed']
      ]
    ),
    panels.timeseries(
      'Lost spans by reason',
      'Spans a second that were not sent (dropped), or not accepted (failed).',
      'ops',
      [
        query('sum by (reason) (rate(sonde_spans_%s_total{}[$__rate_interval]))' % fate, fate + ': {{reason}}')
        for fate in ['dropped', 'failed']
      ]
    ) + panels.stacked,
    panels.timeseries(
      'Queue and exports of metrics',
      'Spans that wait to be sent, and exports of all metrics by OTLP within five minutes.',
      'short',
      [
        query('sum by (instance) (sonde_spans_queued{})', 'spans, {{instance}}'),
        query('sum by (result) (increase(sonde_otlp_metrics_exports_total{}[5m]))', 'exports: {{result}}'),
      ]
    ),
  ];

  dashboard.new(
    config,
    dashboard.uids.sonde,
    'Sonde / Sonde itself',
    'What Sonde costs, and what it does not see.',
    [dashboard.variables.job, dashboard.variables.instance],
    [
      { title: 'Overview', panels: overview },
      { title: 'Cost', panels: cost },
      { title: 'Completeness', panels: completeness },
      { title: 'Scrapes', panels: scrape },
      { title: 'TLS', panels: tls },
      { title: 'Export by OTLP', panels: exports },
    ]
  )
