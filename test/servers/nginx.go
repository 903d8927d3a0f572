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
		listen 127.0.0.1:%[4]d backlog=4096%[5]s;
		listen [::1]:%[4]d;
		root %[1]s/html;
		large_client_header_buffers 8 32k;
		location = /hello { return 200 "hello\n"; }
		location = /empty { return 204; }
		%[6]s
	}
}
`

const nginxUpstream = `upstream app { server %s; keepalive 64; keepalive_requests 10000000; }`

const nginxProxy = `location /up/ {
			proxy_pass http://app/;
			proxy_http_version %s;
			proxy_set_header Connection "%s";
		}`

// StartNginx starts nginx. Its document root has small.txt (3 bytes), index.html and
// large.bin (1 MiB), which go out by sendfile.
func StartNginx(t testing.TB, opts NginxOptions) *Nginx {
	t.Helper()
	dir, port := Dir(t), FreePort(t)
	WriteDocuments(t, filepath.Join(dir, "html"))
	log, upstream, proxy, deferred := "off", "", "", ""
	if opts.AccessLog {
		log = filepath.Join(dir, "access.log") + " status"
	}
	if opts.Upstream != "" {
		version, connection := "1.1", ""
		if opts.CloseUpstream {
			version, connection = "1.0", "close"
		}
		upstream, proxy = fmt.Sprintf(nginxUpstream, opts.Upstream), fmt.Sprintf(nginxProxy, version, connection)
	}
	if opts.Deferred {
		deferred = " deferred"
	}
	config := filepath.Join(dir, "nginx.conf")
	WriteFile(t, config, fmt.Sprintf(nginxConfig, dir, log, upstream, port, deferred, proxy))
	cmd := exec.Command(Tool(t, "nginx"), "-p", dir, "-c", config)
	return &Nginx{Process: start(t, "nginx", port, cmd), dir: dir}
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
