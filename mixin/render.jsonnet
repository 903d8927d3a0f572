// The files that Prometheus and Grafana load, by their names:
//
//   jsonnet -S -c -m out --tla-code 'overrides={_config+:: {…}}' render.jsonnet
function(overrides={})
  local mixin = (import 'mixin.libsonnet') + overrides;
  local yaml(value) = std.manifestYamlDoc(value, indent_array_in_object=true, quote_keys=false);
  {
    'alerts.yaml': yaml(mixin.prometheusAlerts),
    'rules.yaml': yaml(mixin.prometheusRules),
  } + {
    ['dashboards/' + name]: std.manifestJsonEx(mixin.grafanaDashboards[name], '  ')
    for name in std.objectFields(mixin.grafanaDashboards)
  }
