{
  grafanaDashboards+:: {
    'sonde-services.json': (import 'services.libsonnet')($._config),
    'sonde-service.json': (import 'service.libsonnet')($._config),
    'sonde-itself.json': (import 'sonde.libsonnet')($._config),
  },
}
