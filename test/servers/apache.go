package servers

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
)

// Apache's AcceptFilter is left at its default, which sets TCP_DEFER_ACCEPT.
const apacheConfig = `
ServerRoot %[1]s
ServerName localhost
Listen 127.0.0.1:%[2]d
PidFile %[1]s/apache.pid
ErrorLog %[1]s/error.log
DefaultRuntimeDir %[1]s
Mutex posixsem
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
StartServers 2
KeepAlive On
MaxKeepAliveRequests 0
EnableSendfile On
DocumentRoot %[1]s/html
<Directory %[1]s/html>
	Require all granted
</Directory>
%[3]s
`

const apacheTLS = `
LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
SSLSessionCache shmcb:%[1]s/sessions
SSLProtocol -all +TLSv1.2 +TLSv1.3
SSLEngine on
SSLCertificateFile %[2]s
SSLCertificateKeyFile %[3]s
`

// Apache starts apache2 with the event module and the documents of
// WriteDocuments.
func Apache(t testing.TB) *Process {
	t.Helper()
	return startApache(t, Dir(t), "")
}

// ApacheTLS is Apache with mod_ssl.
func ApacheTLS(t testing.TB, keys KeyFiles) *Process {
	t.Helper()
	dir := Dir(t)
	p := startApache(t, dir, fmt.Sprintf(apacheTLS, dir, keys.Cert, keys.Key))
	p.Secure = true
	return p
}

func startApache(t testing.TB, dir, more string) *Process {
	t.Helper()
	port := FreePort(t)
	WriteDocuments(t, filepath.Join(dir, "html"))
	config := filepath.Join(dir, "apache.conf")
	WriteFile(t, config, fmt.Sprintf(apacheConfig, dir, port, more))
	return start(t, "apache2", port, exec.Command(Tool(t, "apache2"), "-f", config, "-DFOREGROUND"))
}
