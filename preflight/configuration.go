package preflight

import (
	"errors"
	"fmt"
	"strings"
)

func (f Facts) configRows() []Row {
	rows := append(f.fileRows(), f.webRow())
	for _, address := range f.Addresses {
		rows = append(rows, f.addressRow(address))
	}
	return append(rows, f.neighbourRow())
}

// fileRows have a row for each mistake.
func (f Facts) fileRows() []Row {
	const item = "file"
	if f.ConfigErr == nil {
		file := f.ConfigFile
		if file == "" {
			file = "none"
		}
		return []Row{{Item: item, State: OK, Says: file + ": " + f.Config.Discovery.Summary()}}
	}
	var rows []Row
	for mistake := range strings.Lines(f.ConfigErr.Error()) {
		rows = append(rows, vital(item, errors.New(mistake), ""))
	}
	return rows
}

func (f Facts) webRow() Row {
	says := f.WebFile
	if says == "" {
		says = "none: the metrics are there for everybody, without TLS"
	}
	return vital("web configuration", f.WebErr, says)
}

func (f Facts) addressRow(address Address) Row {
	row := vital("listen address", address.Err, fmt.Sprintf("%q is free", address.Text))
	if address.Err != nil && f.Trial.Neighbours > 0 {
		// Whoever asks while Sonde runs wants to know about the machine.
		row.State = Limited
		row.Says += ", perhaps the Sonde that runs already"
	}
	return row
}

func (f Facts) neighbourRow() Row {
	const item = "other Sondes"
	switch n := f.Trial.Neighbours; {
	case f.Trial.NeighboursErr != nil:
		return told(item, "the kernel does not tell without CAP_SYS_ADMIN")
	case n == 0:
		return Row{Item: item, State: OK, Says: "none is attached"}
	default:
		return Row{Item: item, State: OK, Says: fmt.Sprintf("%d attached; each of them measures, and costs", n)}
	}
}
