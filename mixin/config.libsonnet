// What may be set. README.md shows how; nobody should have to edit this file.
{
  _config+:: {
    // The series of Sonde, as rules and alerts select them: the job that scrapes it.
    sondeSelector: 'job="sonde"',

    // What makes a service one, besides its namespace and its name. Requests of all
    // hosts are added up; put "cluster" here if there are several.
    aggregationLabels: ['job'],

    // The window of recorded rates: at least four scrapes.
    rateInterval: '5m',
    quantiles: [0.5, 0.9, 0.99],

    // The classic bounds in force: histogram.buckets of Sonde's configuration.
    histogramBuckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],

    // Service level objectives. `availability` is the share of requests without an
    // error, `latency.objective` the share of these that take `latency.threshold`
    // seconds at most; the threshold has to be one of histogramBuckets. null means
    // that a service has no such objective. `page` says whether anybody is paged for it:
    // if not, the most urgent that comes of it is a ticket.
    slo: {
      // Of all services that Sonde finds, whatever they are.
      default: {
        availability: 0.999,
        latency: { threshold: 1, objective: 0.99 },
        page: false,
      },
      // By service_name. Whoever is named here is worth a page; what else one does not
      // say is as in `default`:
      //   checkout: { availability: 0.9995, latency: { threshold: 0.25, objective: 0.99 } },
      //   reports: { latency: null, page: false },
      services: {},
    },

    // No alert about a service before so many of its requests have failed, or were
    // slow, within the long window of the alert: where there are few requests, one of
    // them would burn the whole budget. A service that is down has them sooner or later.
    minimumBadRequests: 10,

    // How fast an error budget may burn: 1 uses it up exactly at the end of the
    // period of the objective. See https://sre.google/workbook/alerting-on-slos/.
    burnRates: [
      { severity: 'page', factor: 14.4, long: '1h', short: '5m', 'for': '2m' },
      { severity: 'page', factor: 6, long: '6h', short: '30m', 'for': '15m' },
      { severity: 'ticket', factor: 3, long: '1d', short: '2h', 'for': '1h' },
      { severity: 'ticket', factor: 1, long: '3d', short: '6h', 'for': '3h' },
    ],

    // What the label severity says: somebody has to act now, has to act, may look.
    severities: { page: 'critical', ticket: 'warning', info: 'info' },

    // From where on Sonde's own losses alert, as shares of all there was to count.
    lostObservationsRatio: 0.001,
    lostSpansRatio: 0.01,
    // How near the number of series may come to its limit.
    seriesRatio: 0.9,
    // How full a BPF map may be, and those that drop their oldest entries when full.
    mapFillRatio: 0.9,
    lruMaps: ['early', 'handlers', 'operations', 'ports', 'stash'],

    // Where docs/troubleshooting.md can be opened, such as
    // 'https://git.example.org/sonde/docs/troubleshooting.md'. Alerts add # and their
    // name. null: they have no link.
    runbookURL: null,

    dashboards: {
      tags: ['sonde'],
      refresh: '1m',
      from: 'now-1h',
      // The data source that is chosen when a dashboard opens; null: Grafana's default.
      datasource: null,
      // Links from a service to its traces. Needs a data source of the type tempo.
      tempo: true,
      // How many routes, peers and services a graph shows: the busiest.
      top: 15,
    },
  },
}
