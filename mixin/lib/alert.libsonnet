// alert makes one alerting rule. Its place in the runbook has the name of the alert.
function(config, name, severity, expr, pending, summary, description, labels={}) {
  alert: name,
  expr: expr,
  'for': pending,
  labels: labels { severity: config.severities[severity] },
  annotations: {
    summary: summary,
    description: description,
    runbook_url: config.runbookURL + '#' + std.asciiLower(name),
  },
}
