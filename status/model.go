// Package status says for people what Sonde does: what runs here, which services
// it measures and how they are doing, what it does not measure and why, and what
// it costs itself. The status page shows it, and the API hands it out.
//
// The names in the JSON are a promise: fields are added, never renamed.
package status

import "time"

// Status is all that is known at one time. It is shared and must not be changed.
type Status struct {
	Time       time.Time     `json:"time"`
	Sonde      Sonde         `json:"sonde"`
	Config     Configuration `json:"configuration"`
	Window     Window        `json:"window"`
	Services   []Service     `json:"services"` // by name
	Excluded   []Excluded    `json:"excluded"` // by name
	Taps       []Tap         `json:"taps"`
	TLSFiles   []TLSFile     `json:"tls_files"`
	Collectors []Collector   `json:"collectors"`
	Exports    []Export      `json:"exports"`
	Cost       Cost          `json:"cost"`

	// Warnings are sentences about what could not be read. The rest is right.
	Warnings []string `json:"-"`
}

// Sonde is this program.
type Sonde struct {
	Version       string    `json:"version"`
	Revision      string    `json:"revision"`
	Host          string    `json:"host"`
	Kernel        string    `json:"kernel_release"`
	Architecture  string    `json:"architecture"`
	StartTime     time.Time `json:"start_time"`
	UptimeSeconds float64   `json:"uptime_seconds"`
	Ready         bool      `json:"ready"`
}

// Configuration is where the configuration in force comes from.
type Configuration struct {
	File                 string    `json:"file"` // empty: flags, environment and defaults
	LoadTime             time.Time `json:"load_time"`
	LastReloadSuccessful bool      `json:"last_reload_successful"`
	LastReloadError      string    `json:"last_reload_error"`
	ServiceRules         int       `json:"service_rules"`
	ExcludeRules         int       `json:"exclude_rules"`
}

// Where a window begins.
const (
	SinceStart  = "start"  // when Sonde started
	SinceReload = "reload" // when the configuration was reloaded, which may rename services
	SinceSample = "sample" // when Sonde last looked, some minutes ago
)

// Window is the time over which rates and quantiles are taken.
type Window struct {
	BeginTime time.Time `json:"begin_time"`
	Seconds   float64   `json:"seconds"`
	Since     string    `json:"since"` // one of the Since constants
}

// Service is a service that is measured, with all its instances.
type Service struct {
	Name        string        `json:"name"`
	Namespace   string        `json:"namespace"`
	NamedBy     []string      `json:"named_by"` // as the label of sonde_service_info
	NameReason  string        `json:"name_reason"`
	Instances   []Instance    `json:"instances"`
	Ports       []Port        `json:"ports"`
	Connections []Connections `json:"connections"`
	Server      *Requests     `json:"server"` // nil if the series cannot be read
	Client      *Requests     `json:"client"`
	NotMeasured []Gap         `json:"not_measured"`
}

// Instance is a process that listens, with its children.
type Instance struct {
	PID         int    `json:"pid"`
	Processes   int    `json:"processes"` // its children included; 0 when gone
	Executable  string `json:"executable"`
	Language    string `json:"language"`
	ContainerID string `json:"container_id"`
	SystemdUnit string `json:"systemd_unit"`
	Gone        bool   `json:"gone"` // it ended, and is kept for series.retention
}

// Port is a port of a service, with what was spoken on it.
type Port struct {
	Port      uint16     `json:"port"`
	Protocols []Protocol `json:"protocols"` // the most frequent one first
}

// Protocol is what some connections speak.
type Protocol struct {
	Name        string `json:"protocol"` // as the label of sonde_connections_total
	TLS         bool   `json:"tls"`
	Measured    bool   `json:"measured"`
	Connections uint64 `json:"connections_total"`
}

// Connections are the connections of a service in one role.
type Connections struct {
	Role string `json:"role"`
	Protocol
}

// Requests is what a service answered, or asked. What has no value, as the
// quantiles of no requests, is null.
type Requests struct {
	Total          uint64   `json:"requests_total"` // as on /metrics
	ErrorsTotal    uint64   `json:"errors_total"`
	WindowSeconds  float64  `json:"window_seconds"` // less than the whole window if the service began in it
	InWindow       uint64   `json:"window_requests"`
	ErrorsInWindow uint64   `json:"window_errors"`
	PerSecond      float64  `json:"requests_per_second"`
	ErrorRatio     *float64 `json:"error_ratio"`
	P50            *float64 `json:"p50_seconds"`
	P95            *float64 `json:"p95_seconds"`
	P99            *float64 `json:"p99_seconds"`
}

// Gap is traffic of a service that is not measured.
type Gap struct {
	Role        string   `json:"role"` // empty if not known yet
	Protocol    string   `json:"protocol"`
	TLS         bool     `json:"tls"`
	Connections uint64   `json:"connections_total"`
	Reasons     []string `json:"reasons"`
}

// Excluded is a process that listens and is not measured, by the rules.
type Excluded struct {
	Name       string   `json:"name"`
	Namespace  string   `json:"namespace"`
	PID        int      `json:"pid"`
	Executable string   `json:"executable"`
	Ports      []uint16 `json:"ports"`
	Reason     string   `json:"reason"`
}

// Tap is a place where Sonde sees bytes, or learns whose they are.
type Tap struct {
	Name   string   `json:"name"`
	Shows  string   `json:"shows"`
	Hooks  []string `json:"hooks"`
	Reason string   `json:"reason"` // why there is no hook
}

// TLSFile is a TLS library that has uprobes.
type TLSFile struct {
	Path      string `json:"path"`
	Library   string `json:"library"`
	Version   string `json:"version"`
	Processes int    `json:"processes"`
}

// Collector is a family of metrics that the scrape may have.
type Collector struct {
	Name   string `json:"name"`
	Shows  string `json:"shows"`
	On     bool   `json:"on"`
	Reason string `json:"reason"` // why it is off
}

// Export is a way out besides the scrape.
type Export struct {
	Signal   string `json:"signal"` // traces or metrics
	On       bool   `json:"on"`
	Endpoint string `json:"endpoint"` // scheme, host and port alone
	Protocol string `json:"protocol"`
	Reason   string `json:"reason"` // why it is off
}

// Cost is what Sonde costs, and what it could not do. Rates are of the window.
type Cost struct {
	Process Process `json:"process"`
	Kernel  Kernel  `json:"kernel"`
	Losses  []Loss  `json:"losses"`
	Maps    []Map   `json:"maps"`
	Series  Series  `json:"series"`
}

// Process is the cost of Sonde's own process.
type Process struct {
	CPURatio      float64 `json:"cpu_ratio"` // of one CPU
	ResidentBytes uint64  `json:"resident_bytes"`
}

// Kernel is the cost of Sonde's BPF programs.
type Kernel struct {
	CPURatio float64   `json:"cpu_ratio"` // of one CPU
	Programs []Program `json:"programs"`  // the most expensive one first
	Reason   string    `json:"reason"`    // why nothing is timed, if so
}

// Program is the cost of one BPF program.
type Program struct {
	Name              string   `json:"name"`
	Type              string   `json:"type"`
	Runs              uint64   `json:"runs_total"`
	RunSeconds        float64  `json:"run_seconds_total"`
	RunsPerSecond     float64  `json:"runs_per_second"`
	NanosecondsPerRun *float64 `json:"nanoseconds_per_run"`
	CPURatio          float64  `json:"cpu_ratio"` // of one CPU
}

// Loss is a reason for which something is not observed.
type Loss struct {
	Reason  string `json:"reason"` // as the label on /metrics
	Of      string `json:"of"`     // observation, event or span
	Meaning string `json:"meaning"`
	Count   uint64 `json:"count_total"`
}

// Map is the fill of a BPF map.
type Map struct {
	Name       string `json:"name"`
	Entries    uint64 `json:"entries"`
	MaxEntries uint64 `json:"max_entries"`
}

// Series is how many series there are, and how many there may be.
type Series struct {
	Count           uint64 `json:"count"`
	Limit           uint64 `json:"limit"`
	LimitPerService uint64 `json:"limit_per_service"`
	Overflow        uint64 `json:"overflow_total"` // observations that a limit sent to overflow series
}
