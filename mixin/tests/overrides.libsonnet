// The services of the unit tests.
{
  _config+:: {
    runbookURL: 'https://example.org/troubleshooting',
    slo+: {
      services: {
        shop: {},
        rare: {},
        night: {},
        blip: {},
        young: {},
        'c++': {},
        reports: { page: false },
        lenient: { availability: 0.9 },
        strict: { latency: { threshold: 0.25, objective: 0.99 } },
        careless: { latency: null },
      },
    },
  },
}
