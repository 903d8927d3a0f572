module sonde_exporter/test/packaging

go 1.26.0

replace sonde_exporter/test => ../

require (
	github.com/CycloneDX/cyclonedx-go v0.12.0
	golang.org/x/sys v0.49.0
	sonde_exporter/test v0.0.0-00010101000000-000000000000
)

require (
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/pandatix/go-abnf v0.5.3 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.73.1 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)
