package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// maxExportTime bounds time limits and intervals: what is longer is a mistake
// of unit.
const maxExportTime = time.Hour

// target makes the Target of a draft. Without an endpoint it has no credentials
// either, and no file is read.
func (t *targetDraft) target(s signal, p *problems) Target {
	c := Target{Protocol: ProtocolHTTP, Compression: t.compression.value, Timeout: t.timeout.value}
	t.validate(p)
	if t.protocol.isSet() {
		c.Protocol = t.protocol.value
	}
	if t.endpoint.value == "" {
		return c
	}
	u := t.url(p)
	if u == nil {
		return c
	}
	if !t.protocol.isSet() {
		c.Protocol = guessProtocol(u)
	}
	c.Endpoint, c.Insecure = t.finishURL(u, c.Protocol, s, p), u.Scheme == "http"
	t.readCredentials(p)
	c.Headers = t.headers.value
	c.BasicAuth = BasicAuth{Username: t.username.value, Password: t.password.value}
	c.TLS = t.clientTLS(c.Insecure, p)
	if hasCredentials := len(c.Headers) > 0 || !c.BasicAuth.IsZero(); hasCredentials && c.Insecure && !isLoopback(u.Hostname()) {
		p.warn(t.endpoint.at, "sends headers or a password without encryption; write https unless the network is trusted")
	}
	return c
}

// url is the endpoint, or nil if it is none. A variable may name a host and a
// port only, as gRPC takes them.
func (t *targetDraft) url(p *problems) *url.URL {
	text := t.endpoint.value
	if t.form != asInFile && !strings.Contains(text, "://") {
		scheme := "https://"
		if t.insecure.value {
			scheme = "http://"
		}
		text = scheme + text
	}
	u, err := parseEndpoint(text)
	if err != nil {
		p.tell(t.endpoint.at, "%w", err)
		return nil
	}
	return u
}

func (t *targetDraft) finishURL(u *url.URL, protocol string, s signal, p *problems) string {
	if protocol == ProtocolGRPC {
		if err := forGRPC(u); err != nil {
			p.tell(t.endpoint.at, "%w", err)
		}
		return u.String()
	}
	path := s.complete(u.EscapedPath(), t.form)
	return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String() + path
}

// validate reports what is wrong with values by themselves and in pairs.
func (t *targetDraft) validate(p *problems) {
	if t.protocol.isSet() && t.protocol.value != ProtocolGRPC && t.protocol.value != ProtocolHTTP {
		p.tell(t.protocol.at, "must be %s or %s, not %s", ProtocolGRPC, ProtocolHTTP, quote(t.protocol.value))
	}
	if c := t.compression; c.value != CompressionGzip && c.value != CompressionNone {
		p.tell(c.at, "must be %s or %s, not %s", CompressionGzip, CompressionNone, quote(c.value))
	}
	validateTime(t.timeout, time.Millisecond, p)
	validatePair(t.certFile.at, t.keyFile.at, "key_file", p)
	validatePair(t.keyFile.at, t.certFile.at, "cert_file", p)
	password := t.password.at
	if !password.isSet() {
		password = t.passwordFile.at
	}
	validatePair(t.username.at, password, "password_file", p)
	validatePair(password, t.username.at, "username", p)
	// RFC 7617, section 2: the first colon ends the name.
	if strings.Contains(t.username.value, ":") {
		p.tell(t.username.at, "contains a colon, which basic authentication does not allow in a user name")
	}
}

// validatePair reports a value whose partner is missing.
func validatePair(at, partner location, missing string, p *problems) {
	if at.isSet() && !partner.isSet() {
		p.tell(at, "is set without %s; set both", missing)
	}
}

func validateTime(d located[time.Duration], least time.Duration, p *problems) {
	switch {
	case d.value < least:
		p.tell(d.at, "must be at least %s, not %s", least, d.value)
	case d.value > maxExportTime:
		p.tell(d.at, "must be at most %s, not %s", maxExportTime, d.value)
	}
}

// readCredentials reads the files that hold secrets.
func (t *targetDraft) readCredentials(p *problems) {
	if t.passwordFile.isSet() {
		password, err := readSecret(t.passwordFile.value)
		if err != nil {
			p.wrap(t.passwordFile.at, err)
		}
		t.password = located[string]{password, t.passwordFile.at}
	}
	if t.headersFile.isSet() {
		text, err := readSmallFile(t.headersFile.value)
		if err == nil {
			t.headers.value, err = headerLines(string(text))
		}
		if err != nil {
			p.wrap(t.headersFile.at, err)
		}
	}
	if t.username.isSet() && t.headers.value.has("Authorization") {
		p.tell(t.username.at, "and the header Authorization are both set; remove one of the two")
	}
}

// clientTLS checks that the files can be used.
func (t *targetDraft) clientTLS(isInsecure bool, p *problems) ClientTLS {
	c := ClientTLS{
		CAFile: t.caFile.value, CertFile: t.certFile.value, KeyFile: t.keyFile.value,
		ServerName: t.serverName.value, InsecureSkipVerify: t.skipVerify.value,
	}
	if isInsecure {
		for _, file := range []located[string]{t.caFile, t.certFile} {
			// A variable may be there for an endpoint of another signal.
			if file.isSet() && !file.at.isStandard() {
				p.tell(file.at, "is of no use, because the endpoint begins with http://; write https:// or remove the file")
			}
		}
		return ClientTLS{InsecureSkipVerify: c.InsecureSkipVerify}
	}
	if c.CAFile != "" {
		if err := checkAuthorities(c.CAFile); err != nil {
			p.wrap(t.caFile.at, err)
		}
	}
	if c.CertFile != "" && c.KeyFile != "" {
		if err := checkKeyPair(c.CertFile, c.KeyFile); err != nil {
			p.wrap(t.certFile.at, err)
		}
	}
	return c
}

func checkAuthorities(name string) error {
	text, err := readSmallFile(name)
	if err != nil {
		return err
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) {
		return fmt.Errorf("file %s holds no certificate in PEM form", name)
	}
	return nil
}

func checkKeyPair(certFile, keyFile string) error {
	cert, err := readSmallFile(certFile)
	if err != nil {
		return err
	}
	key, err := readSmallFile(keyFile)
	if err != nil {
		return err
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		// The words of package tls repeat nothing of the files.
		err = reason{strings.TrimPrefix(err.Error(), "tls: "), err}
		return fmt.Errorf("files %s and %s are not a certificate and its key: %w", certFile, keyFile, err)
	}
	return nil
}
