package tracing

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// wallOffset returns what has to be added to CLOCK_MONOTONIC, by which the kernel
// side tells time, to get the wall clock, in nanoseconds. It is read anew for each
// batch, because the wall clock is set and slewed while Sonde runs.
func wallOffset() int64 {
	offset, least := int64(0), int64(math.MaxInt64)
	// A thread may be interrupted between two readings; the closest tell best.
	for range 3 {
		before := monotonic()
		wall := time.Now().UnixNano()
		between := monotonic() - before
		if between < least {
			offset, least = wall-before-between/2, between
		}
	}
	return offset
}

func monotonic() int64 {
	var now unix.Timespec
	// It cannot fail for a clock that every kernel has.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return now.Nano()
}
