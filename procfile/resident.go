package procfile

import (
	"fmt"
	"os"
	"path/filepath"
)

// ResidentBytes is the memory that this process holds; 0 if procfs does not say.
func ResidentBytes(procfs string) uint64 {
	content, err := os.ReadFile(filepath.Join(procfs, "self", "statm"))
	if err != nil {
		return 0
	}
	var size, pages uint64
	if _, err := fmt.Sscan(string(content), &size, &pages); err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}
