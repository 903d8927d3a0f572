package inspect

import (
	"encoding/json"
	"path"
	"strings"
)

const (
	maxPackageFile = 1 << 20
	// maxPackageLevels bounds the walk from a script up to its package.json.
	maxPackageLevels = 8
)

func nodeName(p Process) string {
	if name := p.Env[envPM2Name]; name != "" {
		return name
	}
	if title, rewritten := p.title(); rewritten {
		// "npm start", "next-server (v14.1.0)": tools that serve the package here.
		return p.packageOr(p.WorkingDir, firstWord(title))
	}
	args := p.Args[1:]
	if runsInline(args, nodeTakesValue, "-e", "--eval", "-p", "--print", "-pe") {
		return ""
	}
	script, rest := operand(args, nodeTakesValue)
	if script == "inspect" {
		script, rest = operand(rest, nodeTakesValue)
	}
	if script == "" {
		return ""
	}
	if name := option(args[:len(args)-len(rest)], "--title"); name != "" {
		return name
	}
	return p.nodeScript(script, rest)
}

func nodeTakesValue(option string) bool {
	switch option {
	case "-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions",
		"--env-file", "--env-file-if-exists", "--inspect-port", "--title", "--input-type", "--icu-data-dir",
		"--openssl-config", "--watch-path", "--dns-result-order", "--unhandled-rejections", "--diagnostic-dir":
		return true
	}
	return false
}

// nodeScript names a script by its package. What lies in node_modules is a tool:
// one of the project around it, or a program that was installed globally.
func (p Process) nodeScript(script string, rest []string) string {
	file := p.absolute(script)
	around, installed, isTool := cutLast(file, "/node_modules/")
	tool := trimExtension(baseName(file))
	if isTool {
		tool = toolName(installed)
	}
	if runsScripts(tool) {
		if next, after := operand(rest, nodeTakesValue); next != "" {
			return p.nodeScript(next, after)
		}
	}
	if servesWorkingDir(tool) {
		return p.packageOr(p.WorkingDir, tool)
	}
	if !isTool {
		return p.packageOr(path.Dir(file), p.scriptName(script))
	}
	if name := p.packageOf(around); name != "" {
		return name
	}
	return tool
}

// toolName gets "next" from .bin/next, and "@acme/cli" from @acme/cli/bin/cli.js.
func toolName(installed string) string {
	parts := strings.SplitN(installed, "/", 3)
	switch {
	case len(parts) > 1 && parts[0] == ".bin":
		return trimExtension(parts[1])
	case len(parts) > 1 && strings.HasPrefix(parts[0], "@"):
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

func runsScripts(tool string) bool {
	switch tool {
	case "ts-node", "ts-node-dev", "tsx", "nodemon", "babel-node", "@babel/node", "esno":
		return true
	}
	return false
}

func servesWorkingDir(tool string) bool {
	switch tool {
	case "npm", "npx", "yarn", "pnpm", "corepack", "next", "nuxt", "vite", "nest", "@nestjs/cli", "remix-serve", "pm2":
		return true
	}
	return false
}

func (p Process) packageOr(dir, otherwise string) string {
	if name := p.packageOf(dir); name != "" {
		return name
	}
	if name := p.Env[envNPMPackage]; name != "" {
		return name
	}
	return otherwise
}

// packageOf returns the name in the nearest package.json at or above dir. Files
// without a name, which only set the module type, are passed over.
func (p Process) packageOf(dir string) string {
	if !path.IsAbs(dir) {
		return ""
	}
	for range maxPackageLevels {
		var manifest struct {
			Name string `json:"name"`
		}
		raw, err := p.files.readInside(p.PID, path.Join(dir, "package.json"), maxPackageFile)
		if err == nil && json.Unmarshal(raw, &manifest) == nil && manifest.Name != "" {
			return manifest.Name
		}
		if dir == "/" {
			break
		}
		dir = path.Dir(dir)
	}
	return ""
}

// denoName handles deno run FILE, deno serve FILE and the short deno FILE.
func denoName(p Process) string {
	return p.runtimeScript(p.Args[1:], func(option string) bool {
		return option == "-c" || option == "--config" || option == "--import-map" || option == "--port" || option == "--host"
	})
}

// bunName handles bun FILE, bun run FILE and bun run SCRIPT of package.json.
func bunName(p Process) string {
	return p.runtimeScript(p.Args[1:], func(option string) bool {
		return option == "-r" || option == "--preload" || option == "--cwd" || option == "-c" || option == "--port"
	})
}

func (p Process) runtimeScript(args []string, takesValue func(string) bool) string {
	script, rest := operand(args, takesValue)
	switch script {
	case "run", "serve", "task", "start", "dev", "x":
		script, _ = operand(rest, takesValue)
	}
	switch {
	case script == "":
		return p.packageOr(p.WorkingDir, "")
	case strings.Contains(script, "://") && !strings.HasPrefix(script, "file://"):
		return p.scriptName(script[strings.Index(script, "://")+2:])
	case path.Ext(script) == "":
		return p.packageOr(p.WorkingDir, script)
	}
	return p.packageOr(path.Dir(p.absolute(script)), p.scriptName(script))
}

func cutLast(s, separator string) (before, after string, found bool) {
	at := strings.LastIndex(s, separator)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+len(separator):], true
}
