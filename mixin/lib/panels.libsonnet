// Builders of panels, as Grafana's JSON has them. Every panel says what it shows
// (description) and in which unit.
local datasource = { type: 'prometheus', uid: '${datasource}' };

// lettered gives queries their names: A, B and so on.
local lettered(targets) = std.mapWithIndex(
  function(i, target) { refId: std.char(std.codepoint('A') + i) } + target,
  targets
);

local panel(type, title, description, unit, targets) = {
  type: type,
  title: title,
  description: description,
  datasource: datasource,
  // The size on Grafana's grid of 24 columns; layout() makes a position of it.
  size:: { w: 8, h: 8 },
  fieldConfig: {
    defaults: {
      unit: unit,
      custom: {},
    },
    overrides: [],
  },
  targets: lettered(targets),
  options: {},
  links: [],
};

{
  datasource:: datasource,

  // query is drawn over time. Panels with exemplars link to traces.
  query(expr, legend='', exemplars=false):: {
    datasource: datasource,
    editorMode: 'code',
    expr: expr,
    legendFormat: legend,
    range: true,
    instant: false,
    exemplar: exemplars,
  },

  // now is a query for one moment: the end of the time range.
  now(expr, legend=''):: $.query(expr, legend) { range: false, instant: true },

  // rows is `now` for a table.
  rows(expr):: $.now(expr) { format: 'table' },

  // sized changes how much room a panel takes.
  sized(w, h=8):: { size:: { w: w, h: h } },

  // coloured gives a panel colours from these values on: [[null, 'green'], [1, 'red']].
  coloured(steps):: {
    fieldConfig+: { defaults+: {
      color: { mode: 'thresholds' },
      thresholds: {
        mode: 'absolute',
        steps: [{ value: step[0], color: step[1] } for step in steps],
      },
    } },
  },

  // between sets the ends of the scale.
  between(min, max=null):: {
    fieldConfig+: { defaults+: { min: min } + if max == null then {} else { max: max } },
  },

  // linked gives the values of a panel links.
  linked(links):: { fieldConfig+: { defaults+: { links: links } } },

  stacked:: {
    fieldConfig+: { defaults+: { custom+: {
      fillOpacity: 40,
      stacking: { mode: 'normal', group: 'A' },
    } } },
  },

  // dashed draws one line of a graph as a bound of the others.
  dashed(name):: {
    fieldConfig+: { overrides+: [{
      matcher: { id: 'byName', options: name },
      properties: [
        { id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 10] } },
        { id: 'custom.fillOpacity', value: 0 },
        { id: 'color', value: { mode: 'fixed', fixedColor: 'red' } },
      ],
    }] },
  },

  timeseries(title, description, unit, targets):: panel('timeseries', title, description, unit, targets) {
    fieldConfig+: { defaults+: {
      min: 0,
      custom: {
        drawStyle: 'line',
        lineWidth: 1,
        fillOpacity: 10,
        showPoints: 'never',
        spanNulls: false,
        axisPlacement: 'auto',
        stacking: { mode: 'none', group: 'A' },
      },
    } },
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  },

  stat(title, description, unit, targets):: panel('stat', title, description, unit, targets) {
    size:: { w: 4, h: 4 },
    fieldConfig+: { defaults+: { custom:: {}, noValue: '–' } },
    options: {
      colorMode: 'value',
      graphMode: 'area',
      justifyMode: 'auto',
      orientation: 'auto',
      percentChangeColorMode: 'standard',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      showPercentChange: false,
      textMode: 'auto',
      wideLayout: true,
    },
  },

  heatmap(title, description, unit, targets):: panel('heatmap', title, description, unit, targets) {
    fieldConfig+: { defaults+: {
      custom: { hideFrom: { legend: false, tooltip: false, viz: false }, scaleDistribution: { type: 'linear' } },
    } },
    options: {
      calculate: false,
      cellGap: 1,
      color: {
        mode: 'scheme',
        scheme: 'Oranges',
        scale: 'exponential',
        exponent: 0.5,
        fill: 'dark-orange',
        reverse: false,
        steps: 64,
      },
      exemplars: { color: 'rgba(255,0,255,0.7)' },
      filterValues: { le: 1e-9 },
      legend: { show: true },
      rowsFrame: { layout: 'auto' },
      showValue: 'never',
      tooltip: { mode: 'single', showColorScale: false, yHistogram: true },
      yAxis: { axisPlacement: 'left', reverse: false, unit: unit },
    },
  },

  // table shows columns in their order; each is made by column().
  table(title, description, targets, columns, sortBy=null, descending=true):: panel('table', title, description, 'none', targets) {
    size:: { w: 24, h: 10 },
    fieldConfig+: {
      defaults+: { custom: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false, filterable: true } },
      overrides: [
        {
          matcher: { id: 'byName', options: column.field },
          properties: [{ id: 'displayName', value: column.name }] + column.properties,
        }
        for column in columns
      ],
    },
    options: {
      cellHeight: 'sm',
      frameIndex: 0,
      showHeader: true,
      sortBy: if sortBy == null then [] else [{ displayName: sortBy, desc: descending }],
    },
    // Frames of queries over time become cells with a line. Without the filter Grafana
    // would do so with a table of one row, too: it takes that for a series over time.
    local trends = [target.refId for target in lettered(targets) if target.range],
    transformations: (
      if trends == [] then [] else [{
        id: 'timeSeriesTable',
        filter: { id: 'byRefId', options: '/^(?:%s)$/' % std.join('|', trends) },
        options: {},
      }]
    ) + [
      // What the columns do not show would keep rows of the same labels apart.
      { id: 'filterFieldsByName', options: { include: { names: [column.field for column in columns] } } },
      { id: 'merge', options: {} },
      {
        id: 'organize',
        options: {
          excludeByName: {},
          indexByName: { [columns[i].field]: i for i in std.range(0, std.length(columns) - 1) },
          renameByName: {},
        },
      },
    ],
  },

  // column shows a field: a label, "Value #A" of query A, or "Trend #A", its line.
  column(field, name, unit=null, properties=[]):: {
    field: field,
    name: name,
    properties: (if unit == null then [] else [{ id: 'unit', value: unit }]) + properties,
  },

  // trend is a column with a line.
  trend(refId, name, unit):: $.column('Trend #' + refId, name, unit, [
    { id: 'custom.cellOptions', value: { type: 'sparkline', drawStyle: 'line', fillOpacity: 20, lineWidth: 1, hideValue: true } },
    { id: 'custom.width', value: 160 },
  ]),

  // cellColours are properties of a column: the value's colour from these values on.
  cellColours(steps):: [
    { id: 'custom.cellOptions', value: { type: 'color-text' } },
    {
      id: 'thresholds',
      value: { mode: 'absolute', steps: [{ value: step[0], color: step[1] } for step in steps] },
    },
  ],

  // layout puts sections, each with a title and panels, below each other, and the
  // panels of each from left to right and from top to bottom.
  layout(sections)::
    local place(state, panel) =
      local wraps = state.x + panel.size.w > 24;
      local x = if wraps then 0 else state.x;
      local y = if wraps then state.bottom else state.y;
      {
        x: x + panel.size.w,
        y: y,
        bottom: std.max(if wraps then 0 else state.bottom, y + panel.size.h),
        placed: state.placed + [panel { gridPos: panel.size { x: x, y: y } }],
      };
    local section(state, next) =
      local row = {
        type: 'row',
        title: next.title,
        collapsed: false,
        panels: [],
        gridPos: { x: 0, y: state.bottom, w: 24, h: 1 },
      };
      local top = state.bottom + 1;
      local end = std.foldl(place, next.panels, { x: 0, y: top, bottom: top, placed: [] });
      { bottom: end.bottom, panels: state.panels + [row] + end.placed };
    std.mapWithIndex(
      function(i, panel) panel { id: i + 1 },
      std.foldl(section, sections, { bottom: 0, panels: [] }).panels
    ),
}
