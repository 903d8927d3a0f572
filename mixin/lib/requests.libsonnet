// Expressions over Sonde's request histograms. Prometheus may have them as native
// histograms, as classic ones, or as both; each expression takes the native ones
// where they are, and the classic ones where they are not. As a series is never
// taken from both, nothing is counted twice.
local by(labels) = if labels == [] then '' else ' by (%s)' % std.join(', ', labels);

// Prometheus before 3.0 has le="1" from text formats and le="1.0" from protobuf;
// since 3.0 it is the latter everywhere.
local bound(seconds) =
  local text = '%.9g' % seconds;
  if std.member(text, '.') then 'le="%s"' % text else 'le=~"%s([.]0)?"' % text;

local throughout = 'throughout';

// window is what stands behind a selector of a range.
local window(range) = if range == throughout then '[$__range] @ end()' else '[%s]' % range;

// indent moves all lines of a text but the first to the right.
local indent(text) = std.strReplace(text, '\n', '\n  ');

{
  server: 'http_server_request_duration_seconds',
  client: 'http_client_request_duration_seconds',

  // selector joins matchers; empty ones are left out.
  selector(matchers):: std.join(', ', std.filter(function(m) m != '', matchers)),

  // As a range: all of the viewer's time range, at every step of a graph.
  throughout: throughout,

  // top are those series of an expression (of a range) that are largest over the time
  // range. If each step had its own, they would come and go within a graph.
  top(config, expr)::
    |||-
      (
        %s
      )
      and
      topk(%d, %s)
    ||| % [indent(expr('$__rate_interval')), config.dashboards.top, expr(throughout)],

  // others is the sum of those that top leaves out.
  others(config, expr)::
    |||-
      sum(
        (
          %s
        )
      unless
        topk(%d, %s)
      )
    ||| % [indent(indent(expr('$__rate_interval'))), config.dashboards.top, indent(expr(throughout))],

  errors: 'error_type!=""',
  noErrors: 'error_type=""',

  // rate is how many requests there were a second. The choice between native and
  // classic is made for every series: hosts may differ.
  rate(metric, selector, range, labels)::
    |||-
      sum%(by)s (
        histogram_count(rate(%(metric)s{%(selector)s}%(window)s))
      or
        rate(%(metric)s_count{%(selector)s}%(window)s)
      )
    ||| % { by: by(labels), metric: metric, selector: selector, window: window(range) },

  // errorRatio is the share of them that failed: 0 where none did, and nothing
  // where there were none.
  errorRatio(metric, selector, range, labels)::
    local all = $.rate(metric, selector, range, labels);
    local errors = $.rate(metric, $.selector([selector, $.errors]), range, labels);
    |||-
      (
        %(errors)s
      or
        0 * %(all)s
      )
      /
      (
        %(all)s
        > 0
      )
    ||| % { errors: indent(errors), all: indent(all) },

  // quantile is a quantile of their durations in seconds. Histograms of the two
  // kinds cannot be added up: where hosts differ, the native ones count.
  quantile(quantile, metric, selector, range, labels)::
    |||-
      histogram_quantile(%(quantile)g, sum%(by)s (rate(%(metric)s{%(selector)s}%(window)s)))
      or
      histogram_quantile(%(quantile)g, sum%(le)s (rate(%(metric)s_bucket{%(selector)s}%(window)s)))
    ||| % {
      quantile: quantile,
      by: by(labels),
      le: by(labels + ['le']),
      metric: metric,
      selector: selector,
      window: window(range),
    },

  // heatmap is all their durations, for a heatmap.
  heatmap(metric, selector, range)::
    |||-
      sum(rate(%(metric)s{%(selector)s}%(window)s))
      or
      (
        sum by (le) (rate(%(metric)s_bucket{%(selector)s}%(window)s))
      unless on ()
        sum(rate(%(metric)s{%(selector)s}%(window)s))
      )
    ||| % { metric: metric, selector: selector, window: window(range) },

  // slower is how many of them took longer than a threshold. A native histogram of
  // no requests has no fraction (NaN), which >= leaves out.
  slower(threshold, metric, selector, range, labels)::
    |||-
      sum%(by)s (
        (
          histogram_count(rate(%(metric)s{%(selector)s}%(window)s))
        *
          (1 - histogram_fraction(0, %(threshold)s, rate(%(metric)s{%(selector)s}%(window)s)))
        ) >= 0
      or
        (
          rate(%(metric)s_count{%(selector)s}%(window)s)
        -
          max without (le) (rate(%(metric)s_bucket{%(selector)s, %(bound)s}%(window)s))
        )
      )
    ||| % {
      by: by(labels),
      metric: metric,
      selector: selector,
      window: window(range),
      threshold: '%.9g' % threshold,
      bound: bound(threshold),
    },
}
