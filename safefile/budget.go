package safefile

import (
	"errors"
	"io"
)

// ErrBudget says that a file made its reader ask for more than it could need.
var ErrBudget = errors.New("its tables are larger than those of any real program")

// BudgetReader fails with [ErrBudget] once more than Left bytes were asked for. A
// header that claims huge tables in a sparse file must not cost memory.
type BudgetReader struct {
	Source io.ReaderAt
	Left   int
}

// ReadAt implements io.ReaderAt.
func (r *BudgetReader) ReadAt(buffer []byte, offset int64) (int, error) {
	if r.Left -= len(buffer); r.Left < 0 {
		return 0, ErrBudget
	}
	return r.Source.ReadAt(buffer, offset)
}
