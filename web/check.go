package web

import (
	"errors"
	"fmt"
	"net"
	"strings"

	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// Check finds out what would keep Serve from serving, without serving. It is
// cheap, so that a mistake is told before programs are loaded.
func Check(flags *toolkit.FlagConfig, telemetryPath string) error {
	if err := errors.Join(checkFlags(flags), checkTelemetryPath(telemetryPath)); err != nil {
		return err
	}
	if err := CheckConfig(flags); err != nil {
		return err
	}
	for _, address := range Addresses(flags) {
		if err := CheckAddress(address); err != nil {
			return err
		}
	}
	return nil
}

// CheckConfig reads the web configuration file, if there is one.
func CheckConfig(flags *toolkit.FlagConfig) error {
	err := toolkit.Validate(*flags.WebConfigFile)
	if err == nil {
		return nil
	}
	remedy := "correct it"
	if strings.Contains(err.Error(), "bcrypt") {
		remedy = "write passwords as hashes, as htpasswd -nB NAME prints them"
	}
	return fmt.Errorf("the web configuration file %q cannot be used: %s; %s, or check --web.config.file",
		*flags.WebConfigFile, oneLine(err), remedy)
}

// Addresses are those that flags say to listen on. There are none with the
// sockets of systemd.
func Addresses(flags *toolkit.FlagConfig) []string {
	if useSystemdSocket(flags) || flags.WebListenAddresses == nil {
		return nil
	}
	return *flags.WebListenAddresses
}

// CheckAddress listens for a moment.
func CheckAddress(address string) error {
	if strings.HasPrefix(address, "vsock://") {
		return nil // The toolkit reads these.
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return explainListenError(err, address)
	}
	return listener.Close()
}
