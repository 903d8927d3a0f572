{
  prometheusAlerts+:: {
    groups+: [
      (import 'services.libsonnet')($._config),
      (import 'sonde.libsonnet')($._config),
    ],
  },
}
