package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// action is how a test deals with a command. It returns what the command printed.
type action func(s *scene, command string) (string, error)

// runs runs the command as it stands and demands that it succeeds.
func runs(s *scene, command string) (string, error) { return s.run(command) }

// sondeReady asks the port of the documentation, over TLS where that is on, with
// the password of web-config.yml, which does no harm where none is asked for.
const sondeReady = `curl --fail --silent --insecure --user prometheus:change-me-please "%s://localhost:19100/-/ready"`

// staysAsSonde starts Sonde and leaves it running for the commands that follow. A
// service is there to be measured, and has been asked for something.
func staysAsSonde(s *scene, command string) (string, error) {
	scheme := "http"
	if strings.Contains(command, "--web.config.file") {
		scheme = "https"
	}
	if err := s.start(command, fmt.Sprintf(sondeReady, scheme)); err != nil {
		return "", err
	}
	_, err := s.run(traffic)
	return "", err
}

// withSonde starts Sonde for commands that ask one, where the page has not told to.
func withSonde(then action) action {
	return func(s *scene, command string) (string, error) {
		if s.daemon == nil {
			if _, err := staysAsSonde(s, "sonde_exporter"); err != nil {
				return "", err
			}
		}
		return then(s, command)
	}
}

// staysAsPrometheus starts Prometheus, in place of what ran before.
func staysAsPrometheus(s *scene, command string) (string, error) {
	return "", s.start(command, "curl --fail --silent http://localhost:9090/-/ready")
}

// traffic is a service that lives for one request.
const traffic = `python3 -m http.server --bind 127.0.0.1 8000 2>/dev/null & server=$!
until curl --fail --silent --output /dev/null http://127.0.0.1:8000/VERSION; do sleep 0.05; done
kill $server; wait $server || true`

// onlyPlanned is for targets of make that take minutes: make knows what it would do,
// and lists the target in its help.
func onlyPlanned(s *scene, command string) (string, error) {
	fields := strings.Fields(command)
	if len(fields) < 2 || fields[0] != "make" {
		return "", fmt.Errorf("%q is no target of make", command)
	}
	if err := inHelp(s, fields[1]); err != nil {
		return "", err
	}
	_, err := s.run("make --dry-run " + strings.TrimPrefix(command, "make "))
	return "", err
}

func inHelp(s *scene, target string) error {
	help, err := s.help("make help")
	if err != nil {
		return err
	}
	if !regexp.MustCompile(`(?m)^make ` + regexp.QuoteMeta(target) + `\s`).MatchString(help) {
		return fmt.Errorf("make help does not list the target %s", target)
	}
	return nil
}

// cannot is for commands that cannot be run by a test; the reason is for whoever
// reads the table. What can be checked in their place is.
func cannot(reason string, checks ...action) action {
	return func(s *scene, command string) (string, error) {
		if reason == "" {
			return "", fmt.Errorf("the table does not say why this is not run")
		}
		for _, check := range checks {
			if _, err := check(s, command); err != nil {
				return "", err
			}
		}
		return "", nil
	}
}

// filesExist demands the files that the command names by a path in the repository.
func filesExist(s *scene, command string) (string, error) {
	for _, path := range repositoryPath.FindAllString(command, -1) {
		if _, err := os.Stat(filepath.Join(s.dir, path)); err != nil {
			return "", fmt.Errorf("there is no file %s in the repository", path)
		}
	}
	return "", nil
}

// exists demands one file of the repository.
func exists(path string) action {
	return func(s *scene, _ string) (string, error) { return s.run("ls " + path) }
}

// versionAgrees demands that the names of packages have the version of the repository.
func versionAgrees(s *scene, command string) (string, error) {
	version, err := os.ReadFile(filepath.Join(s.dir, "VERSION"))
	if err != nil {
		return "", err
	}
	if !strings.Contains(command, strings.TrimSpace(string(version))+"-1") {
		return "", fmt.Errorf("%s: this is not the version of the file VERSION, %s", command, version)
	}
	return "", nil
}

// repositoryPath is a path below one of the directories that commands name files of.
var repositoryPath = regexp.MustCompile(`\b(?:examples|packaging|mixin|scripts)/[\w./-]+`)

// after prepares the scene by another command line, for what a page tells its
// reader in prose.
func after(preparation string, then action) action {
	return func(s *scene, command string) (string, error) {
		if _, err := s.run(preparation); err != nil {
			return "", fmt.Errorf("what the page asks for before: %w", err)
		}
		return then(s, command)
	}
}

// flagsKnown demands that every flag that a command gives to Sonde exists.
func flagsKnown(s *scene, command string) error {
	_, arguments, found := strings.Cut(command, "sonde_exporter ")
	if !found {
		return nil
	}
	help, err := s.help("sonde_exporter --help")
	if err != nil {
		return err
	}
	arguments = shellOperator.Split(arguments, 2)[0]
	for _, flag := range flagName.FindAllString(arguments, -1) {
		flag = strings.TrimPrefix(strings.TrimSpace(flag), "--")
		known := regexp.MustCompile(`--(\[no-\])?` + regexp.QuoteMeta(strings.TrimPrefix(flag, "no-")) + `[\s=]`)
		if !known.MatchString(help) {
			return fmt.Errorf("sonde_exporter has no flag --%s", flag)
		}
	}
	return nil
}

var (
	shellOperator = regexp.MustCompile(`[|;&<>]`)
	flagName      = regexp.MustCompile(`(?:^|\s)--[a-z][\w.-]*`)
)
