// Everything that the mixin has to give: _config, grafanaDashboards,
// prometheusAlerts and prometheusRules. README.md tells how to use them.
(import 'config.libsonnet') +
(import 'rules/rules.libsonnet') +
(import 'alerts/alerts.libsonnet') +
(import 'dashboards/dashboards.libsonnet')
