package otlp

import (
	"crypto/tls"
	"fmt"

	promconfig "github.com/prometheus/common/config"

	"sonde_exporter/config"
)

// TLSConfig returns how TLS to a target is done. The client certificate is read
// again for every connection, so that it can be renewed; the CA file is not.
func TLSConfig(client config.ClientTLS) (*tls.Config, error) {
	tlsConfig, err := promconfig.NewTLSConfig(&promconfig.TLSConfig{
		CAFile: client.CAFile, CertFile: client.CertFile, KeyFile: client.KeyFile,
		ServerName: client.ServerName, InsecureSkipVerify: client.InsecureSkipVerify,
	})
	if err != nil {
		return nil, fmt.Errorf("TLS to the endpoint of OTLP cannot be set up: %w", err)
	}
	return tlsConfig, nil
}
