package docs

// table says for every command of the documentation how it is tried. The first row
// that matches counts.
func table() []row {
	return []row{
		{command: exactly("make demo"), try: runs},
		{command: exactly("make certs"), try: runs},
		{command: like(`make (benchmark)( .*)?`), try: onlyPlanned},

		{command: exactly("sudo ./sonde_exporter"), try: staysAsSonde},
		{command: exactly("sudo ./sonde_exporter --web.config.file=web-config.yml"), try: staysAsSonde},
		{command: like(`curl -s localhost:19100/.*`), try: runs},

		{
			command: exactly("sudo ./sonde_exporter --web.config.file=web-config.yml --config.file=examples/alloy/sonde.yml"),
			try:     staysAsSonde,
		},
		{
			command: exactly("sudo ./sonde_exporter --web.config.file=web-config.yml --config.file=examples/tempo/sonde.yml"),
			try:     after(clientCertificates, staysAsSonde),
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
