// Package guest holds what the host and the init of a test machine have to agree
// on.
package guest

const (
	// PlanFile is where init finds its Plan, as JSON.
	PlanFile = "/plan.json"
	// EndMarker begins the last line of the output; the exit status follows.
	EndMarker = "sonde-kernels: exit status "
)

// Plan is what init has to do.
type Plan struct {
	Modules []string // files of kernel modules, in the order of loading
	Port    string   // device for the command's output
	Command []string // absolute path and arguments
	Env     []string
}
