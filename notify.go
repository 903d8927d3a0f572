package main

import (
	"log/slog"
	"sync/atomic"

	"github.com/coreos/go-systemd/v22/daemon"
)

// manager is who has started Sonde, if it wants to hear more of it than that the
// process runs: systemd for a unit of Type=notify. $NOTIFY_SOCKET says so.
type manager struct{ logger *slog.Logger }

// ready says that Sonde measures and listens: its start has succeeded.
func (m manager) ready() { m.tell(daemon.SdNotifyReady) }

// stopping says that the end of the process, soon, is no accident.
func (m manager) stopping() { m.tell(daemon.SdNotifyStopping) }

// tell leaves the variable as it is, for what is told later. Sonde starts no program
// that could inherit it.
func (m manager) tell(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		m.logger.Error("systemd has not heard "+state+"; its socket has to be in reach, and RestrictAddressFamilies= to allow AF_UNIX", "err", err)
	}
}

// afterCalls returns a function that calls then when it is called for the nth time.
func afterCalls(n int, then func()) func() {
	var calls atomic.Int64
	return func() {
		if calls.Add(1) == int64(n) {
			then()
		}
	}
}
