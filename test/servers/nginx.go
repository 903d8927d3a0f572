package servers

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Nginx is a running nginx with two workers.
type Nginx struct {
	*Process
	dir string
}

// NginxOptions says what a test needs of nginx beyond static files.
type NginxOptions struct {
	// Upstream is the address to which /up/ is passed on, over HTTP/1.1 with
	// kept connections; empty for none.
	Upstream string
	// CloseUpstream passes on in HTTP/1.0 instead, on a connection for each.
	CloseUpstream bool
	// Deferred sets TCP_DEFER_ACCEPT: the kernel then keeps a connection from
	// nginx until its first byte has come.
	Deferred bool
	// AccessLog writes one line for each request, in a file that Logged reads.
	AccessLog bool
	// TLS makes it speak HTTPS, in TLS 1.2 and 1.3 and with session tickets.
	TLS *KeyFiles
	// UpstreamCert makes it speak HTTPS to Upstream, and believe this
	// certificate only.
	UpstreamCert string
}

const nginxConfig = `
daemon off;
user root;
worker_processes 2;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections 2048; }
http {
	log_format status $status;
	access_log %[2]s;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 10000000;
	%[3]s
	server {
		listen 127.0.0.1:%[4]d backlog=4096%[5]s%[7]s;
		listen [::1]:%[4]d%[7]s;
		root %[1]s/html;
		large_client_header_buffers 8 32k;
		location = /hello { return 200 "hello\n"; }
		location = /empty { return 204; }
		%[6]s
		%[8]s
	}
}
`

const nginxUpstream = `upstream app { server %s; keepalive 64; keepalive_requests 10000000; }`

const nginxProxy = `location /up/ {
			proxy_pass %s://app/;
			proxy_http_version %s;
			proxy_set_header Connection "%s";
			%s
		}`

const nginxTLS = `ssl_protocols TLSv1.2 TLSv1.3;
		ssl_certificate %s;
		ssl_certificate_key %s;`

const nginxUpstreamTLS = `proxy_ssl_protocols TLSv1.2 TLSv1.3;
			proxy_ssl_verify on;
			proxy_ssl_name localhost;
			proxy_ssl_trusted_certificate %s;`

// StartNginx starts nginx. Its document root has small.txt (3 bytes), index.html and
// large.bin (1 MiB), which go out by sendfile, except over TLS.
func StartNginx(t testing.TB, opts NginxOptions) *Nginx {
	t.Helper()
	dir, port := Dir(t), FreePort(t)
	WriteDocuments(t, filepath.Join(dir, "html"))
	log, deferred, listenTLS, tls := "off", "", "", ""
	if opts.AccessLog {
		log = filepath.Join(dir, "access.log") + " status"
	}
	if opts.Deferred {
		deferred = " deferred"
	}
	if opts.TLS != nil {
		listenTLS, tls = " ssl", fmt.Sprintf(nginxTLS, opts.TLS.Cert, opts.TLS.Key)
	}
	upstream, proxy := opts.proxy()
	config := filepath.Join(dir, "nginx.conf")
	WriteFile(t, config, fmt.Sprintf(nginxConfig, dir, log, upstream, port, deferred, proxy, listenTLS, tls))
	n := &Nginx{Process: start(t, "nginx", port, exec.Command(Tool(t, "nginx"), "-p", dir, "-c", config)), dir: dir}
	n.Secure = opts.TLS != nil
	return n
}

// proxy is the configuration of the upstream and of the location that passes on.
func (o *NginxOptions) proxy() (upstream, location string) {
	if o.Upstream == "" {
		return "", ""
	}
	scheme, version, connection, tls := "http", "1.1", "", ""
	if o.CloseUpstream {
		version, connection = "1.0", "close"
	}
	if o.UpstreamCert != "" {
		scheme, tls = "https", fmt.Sprintf(nginxUpstreamTLS, o.UpstreamCert)
	}
	return fmt.Sprintf(nginxUpstream, o.Upstream), fmt.Sprintf(nginxProxy, scheme, version, connection, tls)
}

// Logged counts the lines of the access log by status code.
func (n *Nginx) Logged(t testing.TB) map[string]uint64 {
	t.Helper()
	counts := map[string]uint64{}
	for line := range strings.Lines(readFile(t, filepath.Join(n.dir, "access.log"))) {
		counts[strings.TrimSpace(line)]++
	}
	return counts
}
