package docs

import "slices"

// table says for every command of the documentation how it is tried. The first row
// that matches counts.
func table() []row {
	return slices.Concat(repositoryRows(), sondeRows(), installingRows(), neighbourRows())
}

// repositoryRows are for commands on the source.
func repositoryRows() []row {
	return []row{
		{command: exactly("make build"), try: runs},
		{command: exactly("make demo"), try: runs, compare: compareAnyRoute},
		{command: exactly("make certs"), try: runs},
		{command: exactly("make mixin"), try: runs},
		{command: like("make benchmark .*"), try: onlyPlanned},
		{command: like(`grep -rnE .* bpf/\*\.h bpf/\*\.c .*`), try: runs},
	}
}

// sondeRows are for Sonde itself and for questions to it.
func sondeRows() []row {
	const protected = "sudo ./sonde_exporter --web.config.file=web-config.yml"
	return []row{
		{command: exactly("sudo ./sonde_exporter"), try: staysAsSonde},
		{command: exactly(protected), try: staysAsSonde},
		{command: exactly(protected + " --config.file=examples/alloy/sonde.yml"), try: staysAsSonde},
		{command: exactly(protected + " --config.file=examples/tempo/sonde.yml"), try: after(clientCertificates, staysAsSonde)},
		{command: like(`curl -s localhost:19100/.*`), try: withSonde(runs)},
		{command: like(`curl -s --cacert certs/ca.crt .* https://localhost:19100/.*`), try: runs},
		{command: like(`(sudo )?(\./)?sonde_exporter --preflight`), try: runs, compare: compareItems},
		{
			command: exactly("sonde_exporter --config.check --config.file=beyla-config.yml"),
			try:     after(`printf 'discovery:\n  services:\n    - open_ports: 8080\n' > beyla-config.yml`, runs),
		},
		{
			command: exactly("sonde_exporter --config.file=/etc/sonde_exporter/config.yml --config.check"),
			try:     after("mkdir -p /etc/sonde_exporter && cp packaging/etc/config.yml /etc/sonde_exporter/", runs),
		},
	}
}

// installingRows are for packages, containers and clusters.
func installingRows() []row {
	return []row{
		{
			command: like(`sudo (apt|dnf) install \./sonde-exporter[-_][\d.]+-1[._]\w+\.(deb|rpm)`),
			try:     cannot("it would change this machine; test/packaging installs the packages into directories of their own", versionAgrees),
		},
		{
			command: like(`podman build .* \.`),
			try:     cannot("it fetches images from a registry", exists("Containerfile")),
		},
		{
			command: like(`docker run .* sonde_exporter --path\.rootfs=/host`),
			try:     cannot("it needs the image and a daemon of containers; its flags for Sonde are checked"),
		},
		{
			command: exactly("kubectl apply --kustomize example"),
			try:     cannot("it needs a cluster", exists("packaging/kubernetes/example/kustomization.yaml")),
		},
	}
}

// neighbourRows are for the programs that Sonde works with.
func neighbourRows() []row {
	return []row{
		{
			command: exactly("prometheus --config.file=examples/prometheus/prometheus.yml --enable-feature=native-histograms"),
			try:     staysAsPrometheus,
		},
		{
			command: exactly("set -a; . ./alloy.env; set +a"),
			try:     after("cp examples/alloy/alloy.env .", runs),
		},
		{
			command: exactly("alloy run examples/alloy/config.alloy"),
			try:     cannot("Alloy is no package of Debian; test/examples checks its configuration", filesExist),
		},
		{
			command: like(`MIMIR_URL=.* tempo -config.expand-env=true -config.file=examples/tempo/tempo.yaml`),
			try:     cannot("Tempo is no package of Debian; test/examples checks its configuration", filesExist),
		},
	}
}

// clientCertificates makes the files of examples/tempo/sonde.yml.
const clientCertificates = `scripts/certs && mkdir -p /etc/sonde && cp certs/ca.crt /etc/sonde/ &&
cp certs/server.crt /etc/sonde/client.crt && cp certs/server.key /etc/sonde/client.key`
