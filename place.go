package main

import (
	"fmt"
	"log/slog"
	"os"

	"sonde_exporter/config"
)

// placeFlags tells which flags say where the metrics are. They, their variables and
// the sockets of systemd outrank the file.
type placeFlags struct{ address, path bool }

const (
	addressFlag = "web.listen-address"
	pathFlag    = "web.telemetry-path"
)

// isSaid tells that somebody set a flag, or its variable.
func isSaid(isTyped bool, flag string) bool {
	return isTyped || os.Getenv(config.EnvName(flag)) != ""
}

// usePlace takes the place of the metrics from the file, where it has one.
func (o *options) usePlace(file config.Prometheus) {
	if file.Port != 0 && o.ownsAddress() {
		*o.web.WebListenAddresses = []string{fmt.Sprintf(":%d", file.Port)}
	}
	if file.Path != "" && o.ownsPath() {
		o.telemetryPath = file.Path
	}
}

// ownsAddress tells that nothing but the file may say where to listen.
func (o *options) ownsAddress() bool {
	return !*o.web.WebSystemdSocket && !isSaid(o.typed.address, addressFlag)
}

func (o *options) ownsPath() bool { return !isSaid(o.typed.path, pathFlag) }

// tellPlace says what became of the place in the file.
func (o *options) tellPlace(file config.Prometheus, logger *slog.Logger) {
	if file.Port != 0 {
		if o.ownsAddress() {
			logger.Info(fmt.Sprintf("listening on port %d, as prometheus_export.port of the configuration file says", file.Port))
		} else {
			logger.Info("prometheus_export.port of the configuration file has no effect: --web.listen-address and --web.systemd-socket outrank it")
		}
	}
	if file.Path != "" && !o.ownsPath() {
		logger.Info("prometheus_export.path of the configuration file has no effect: --web.telemetry-path outranks it")
	}
}
