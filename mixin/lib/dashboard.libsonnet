// Dashboards and their variables.
local panels = import 'panels.libsonnet';

// A variable that is a choice among label values.
local labelVariable(name, label, query) = {
  type: 'query',
  name: name,
  label: label,
  datasource: panels.datasource,
  query: { qryType: 1, query: query, refId: 'PrometheusVariableQueryEditor-VariableQuery' },
  refresh: 2,
  regex: '',
  sort: 1,
  hide: 0,
  options: [],
};

// A variable that is a choice among the data sources of a kind.
local datasourceVariable(name, label, kind) = {
  type: 'datasource',
  name: name,
  label: label,
  query: kind,
  regex: '',
  refresh: 1,
  hide: 0,
  multi: false,
  includeAll: false,
  options: [],
};

local everything = { selected: true, text: 'All', value: '$__all' };

{
  // The addresses of the dashboards.
  uids:: { services: 'sonde-services', service: 'sonde-service', sonde: 'sonde-itself' },

  variables:: {
    datasource(config):: datasourceVariable('datasource', 'Data source', 'prometheus') + (
      local name = config.dashboards.datasource;
      if name == null then {} else { current: { selected: true, text: name, value: name } }
    ),
    tempo:: datasourceVariable('tempo', 'Traces', 'tempo'),

    // many may be all that there are.
    many(name, label, query):: labelVariable(name, label, query) {
      multi: true,
      includeAll: true,
      current: everything,
    },
    one(name, label, query):: labelVariable(name, label, query) {
      multi: false,
      includeAll: false,
    },
    custom(name, label, values):: {
      type: 'custom',
      name: name,
      label: label,
      query: std.join(',', values),
      hide: 0,
      multi: false,
      includeAll: false,
      options: [{ selected: value == values[0], text: value, value: value } for value in values],
      current: { selected: true, text: values[0], value: values[0] },
    },

    // What all dashboards choose from: jobs and hosts.
    job:: self.many('job', 'Job', 'label_values(sonde_build_info, job)'),
    // All means those, too, that have been down since before the time range. "All" jobs are
    // those of Sonde: other jobs may have metrics of the same names.
    instance:: self.many('instance', 'Sonde', 'label_values(sonde_build_info{job=~"$job"}, instance)') { allValue: '.*' },
    namespace:: self.many(
      'namespace',
      'Namespace',
      'label_values(sonde_service_info{job=~"$job", instance=~"$instance"}, service_namespace)'
    ) { allValue: '.*' },  // those without one, too
  },

  // The variables that a link hands on, besides the time range.
  handedOn:: '${datasource:queryparam}&${job:queryparam}&${instance:queryparam}&${__url_time_range}',

  new(config, uid, title, description, variables, sections):: {
    uid: uid,
    title: title,
    description: description,
    tags: config.dashboards.tags,
    schemaVersion: 42,
    version: 1,
    editable: true,
    graphTooltip: 1,
    timezone: '',
    time: { from: config.dashboards.from, to: 'now' },
    timepicker: {},
    refresh: config.dashboards.refresh,
    annotations: { list: [] },
    links: [
      {
        type: 'dashboards',
        title: 'Sonde',
        tags: config.dashboards.tags,
        asDropdown: false,
        icon: 'external link',
        includeVars: true,
        keepTime: true,
        targetBlank: false,
        tooltip: '',
        url: '',
      },
    ],
    templating: { list: [$.variables.datasource(config)] + variables },
    panels: panels.layout(sections),
  },
}
