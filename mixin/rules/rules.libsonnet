{
  prometheusRules+:: {
    groups+: [
      (import 'requests.libsonnet')($._config),
      (import 'objectives.libsonnet')($._config),
    ],
  },
}
