package inspect

import (
	"path"
	"regexp"
	"strings"
)

// javaName names a Java program by spring.application.name, then by its jar
// without version, then by the simple name of its main class. A class whose
// name says nothing, such as com.acme.shop.Main, yields to its package: shop.
func javaName(p Process) string {
	jar, class, rest := parseJava(p.Args[1:])
	for _, name := range []string{
		javaProperty(p.Args, "spring.application.name"),
		option(rest, "--spring.application.name"),
	} {
		if name != "" {
			return name
		}
	}
	switch {
	case jar != "":
		return p.jarName(jar)
	case strings.HasPrefix(class, "org.apache.catalina."):
		// Each instance of Tomcat has a directory: /var/lib/tomcat10, /opt/shop.
		if name := projectName(javaProperty(p.Args, "catalina.base")); name != "" {
			return name
		}
		return "tomcat"
	case class != "":
		return p.className(class)
	}
	return ""
}

// parseJava finds what the launcher starts, and the arguments of that.
func parseJava(args []string) (jar, class string, rest []string) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		hasNext := i+1 < len(args)
		switch {
		case arg == "-jar" && hasNext:
			return args[i+1], "", args[i+2:]
		case (arg == "-m" || arg == "--module") && hasNext:
			module, main, found := strings.Cut(args[i+1], "/")
			if !found {
				main = module
			}
			return "", main, args[i+2:]
		case javaTakesValue(arg):
			i++
		case strings.HasPrefix(arg, "-"), strings.HasPrefix(arg, "@"), arg == "":
		default:
			return "", arg, args[i+1:]
		}
	}
	return "", "", nil
}

func javaTakesValue(option string) bool {
	switch option {
	case "-cp", "-classpath", "--class-path", "-p", "--module-path", "--upgrade-module-path", "--add-modules",
		"--limit-modules", "--add-exports", "--add-opens", "--add-reads", "--patch-module", "--source",
		"--enable-native-access", "-d", "--describe-module":
		return true
	}
	return false
}

// javaProperty returns the value of -Dname=value. As in Java the last counts.
func javaProperty(args []string, name string) string {
	value := ""
	for _, arg := range args {
		if found, ok := strings.CutPrefix(arg, "-D"+name+"="); ok {
			value = found
		}
	}
	return value
}

// jarVersion matches what build tools append: -1.2.3, -0.0.1-SNAPSHOT-exec,
// -v2, -20240131. A lone number within a name (oauth-2-proxy) is not a version.
var jarVersion = regexp.MustCompile(`[-_]v?\d+(\.\d+.*|(-SNAPSHOT.*)?)$`)

func (p Process) jarName(jar string) string {
	name := strings.TrimSuffix(baseName(jar), ".jar")
	if trimmed := jarVersion.ReplaceAllString(name, ""); trimmed != "" {
		name = trimmed
	}
	if name == "quarkus-run" { // The same in each Quarkus project.
		if project := projectName(path.Dir(p.absolute(jar))); project != "" {
			return project
		}
	}
	return name
}

func (p Process) className(class string) string {
	if strings.HasSuffix(class, ".java") { // A source file, run directly.
		return strings.TrimSuffix(baseName(class), ".java")
	}
	parts := strings.Split(class, ".")
	simple := parts[len(parts)-1]
	if strings.HasPrefix(class, "org.springframework.boot.loader.") {
		if project := projectName(p.WorkingDir); project != "" {
			return project
		}
		return simple
	}
	// Kotlin compiles the functions of Main.kt into a class MainKt.
	switch strings.TrimSuffix(simple, "Kt") {
	case "Main", "App", "Application", "Bootstrap", "Launcher", "Server", "Starter", "Startup":
		if len(parts) > 1 {
			return parts[len(parts)-2]
		}
	}
	return simple
}
