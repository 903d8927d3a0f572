package inspect

import (
	"path"
	"regexp"
	"strings"
)

// scriptName names a script by its file, without extension. Names that say
// nothing, such as index.js, yield to the directory of the project.
func (p Process) scriptName(script string) string {
	name := trimExtension(baseName(script))
	if !saysNothing(name) {
		return name
	}
	if project := projectName(path.Dir(p.absolute(script))); project != "" {
		return project
	}
	return name
}

// absolute resolves a path as the process would.
func (p Process) absolute(file string) string {
	file = strings.TrimPrefix(file, "file://")
	if path.IsAbs(file) {
		return path.Clean(file)
	}
	return path.Join(p.WorkingDir, file)
}

func trimExtension(file string) string {
	switch extension := path.Ext(file); extension {
	case ".py", ".pyc", ".pyz", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx",
		".rb", ".ru", ".php", ".phar", ".pl", ".psgi", ".jar", ".dll", ".sh":
		return strings.TrimSuffix(file, extension)
	}
	return file
}

// saysNothing tells file and module names that are the same in every project.
func saysNothing(name string) bool {
	switch strings.ToLower(name) {
	case "", "__init__", "__main__", "app", "application", "asgi", "index", "main", "manage", "run",
		"server", "start", "wsgi":
		return true
	}
	return false
}

// projectName walks up from dir to the first directory whose name tells one
// project from another. It returns "" at directories of the system.
func projectName(dir string) string {
	for dir = path.Clean(dir); path.IsAbs(dir) && !belongsToSystem(dir); dir = path.Dir(dir) {
		if name := path.Base(dir); !layoutDirectory(name) {
			return name
		}
	}
	return ""
}

// numbered matches releases (20240131120000, v1.2.3) and numbered copies.
var numbered = regexp.MustCompile(`^v?\d[\d._-]*$`)

func layoutDirectory(name string) bool {
	switch strings.ToLower(name) {
	case "app", "bin", "build", "code", "current", "cmd", "dist", "htdocs", "html", "lib", "out", "public",
		"public_html", "quarkus-app", "release", "releases", "sbin", "script", "scripts", "server", "src",
		"target", "web", "webroot", "workspace", "www":
		return true
	}
	return numbered.MatchString(name)
}

// throwaway matches directories made by mktemp, Python's tempfile and tests.
var throwaway = regexp.MustCompile(`^tmp|\d{6,}$`)

func belongsToSystem(dir string) bool {
	switch dir {
	case "/", "/bin", "/data", "/dev", "/dev/shm", "/etc", "/home", "/mnt", "/media", "/opt", "/proc", "/root", "/run",
		"/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/local", "/usr/share", "/usr/lib", "/var", "/var/lib",
		"/var/tmp", "/var/www":
		return true
	}
	switch parent, name := path.Split(dir); parent {
	case "/home/":
		return true // A person, not a project.
	case "/tmp/", "/var/tmp/", "/dev/shm/":
		return throwaway.MatchString(name)
	}
	return false
}
