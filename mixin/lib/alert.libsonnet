// runbook is the link to what docs/troubleshooting.md says about an alert. Who gets the
// alert cannot know what a link could be relative to.
local runbook(config, name) =
  if config.runbookURL == null then {} else
    assert std.startsWith(config.runbookURL, 'https://') || std.startsWith(config.runbookURL, 'http://') :
           'the runbookURL "%s" does not begin with https:// or http://' % config.runbookURL;
    { runbook_url: config.runbookURL + '#' + std.asciiLower(name) };

// alert makes one alerting rule.
function(config, name, severity, expr, pending, summary, description, labels={}) {
  alert: name,
  expr: expr,
  'for': pending,
  labels: labels { severity: config.severities[severity] },
  annotations: {
    summary: summary,
    description: description,
  } + runbook(config, name),
}
