# `make` lists the targets. All of them do their own set-up on Debian.

GO ?= go

# With a shell of its own each recipe sees the PATH below. Go's own installer puts
# it where PATH does not lead to.
SHELL := /bin/bash
export PATH := $(PATH):/usr/local/go/bin

# What --version and sonde_build_info say. Nothing depends on who builds,
# when and where: the same commit gives the same program.
VERSION  := $(shell cat VERSION)
REVISION := $(shell git rev-parse --verify --quiet HEAD 2>/dev/null || echo unknown)
BRANCH   := $(shell git symbolic-ref --short --quiet HEAD 2>/dev/null || echo unknown)
DATE     := $(shell TZ=UTC git log -1 --format=%cd --date=format-local:%Y%m%d-%H:%M:%S 2>/dev/null || echo unknown)
INFO     := github.com/prometheus/common/version
OUTPUT   := sonde_exporter
LDFLAGS  := -s -w \
	-X $(INFO).Version=$(VERSION) \
	-X $(INFO).Revision=$(REVISION) \
	-X $(INFO).Branch=$(BRANCH) \
	-X $(INFO).BuildUser=make \
	-X $(INFO).BuildDate=$(DATE)

.DEFAULT_GOAL := help
.PHONY: help build package release demo test test-unit test-kernels update-verifier-budget benchmark soak screenshots fuzz lint generate check-generated mixin docs certs clean

help: ## print this list
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "make %-22s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

build: ## build ./sonde_exporter
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o $(OUTPUT) .

package: ## build deb, rpm and archive of what is here, for this machine's architecture, in dist/
	@scripts/release --allow-changes $(shell $(GO) env GOARCH)

release: ## build all that is released, for amd64 and arm64, in dist/
	@scripts/release amd64 arm64

demo: build ## measure a small demo service and show its histograms (uses sudo)
	@scripts/demo

test: ## run all tests: C, kernel and end to end (uses sudo)
	@scripts/test all

test-unit: ## run the tests that need neither root nor other programs
	@scripts/test unit

# KERNELS="6.1-amd64 6.12-arm64" picks some of the matrix.
test-kernels: ## run the kernel tests on Linux 6.1, 6.12, the newest, and arm64, in QEMU
	@scripts/test-kernels $(KERNELS)

update-verifier-budget: ## do that, and write bpf/verifier-budget.txt anew
	@scripts/test-kernels -update $(KERNELS)

# BENCHMARK="-short -only=request" passes flags; benchmark/README.md tells more.
benchmark: ## measure what Sonde costs and print one table (uses sudo)
	@scripts/benchmark $(BENCHMARK)

# SOAK_SECONDS=30 makes it shorter.
soak: build ## load Sonde for two minutes; check that it is exact and does not grow (uses sudo)
	@scripts/soak

screenshots: build ## draw the pictures of docs/images anew (uses sudo)
	@scripts/screenshots

# FUZZ_SECONDS=600 makes it longer.
fuzz: ## feed the parsers with hostile and with well-formed traffic for two minutes
	@scripts/fuzz

lint: ## check the form of Go, C, shell and jsonnet
	@scripts/lint

generate: ## compile the BPF programs with clang-19 and write their Go bindings
	@scripts/setup build
	$(GO) generate ./bpf

check-generated: ## generate and fail if anything changes
	@scripts/check-generated

# MIXIN=my.libsonnet adds a file of overrides; mixin/README.md tells more.
mixin: ## render dashboards, alerts and rules for Grafana and Prometheus into mixin/out/
	@scripts/mixin mixin/out $(MIXIN)

docs: ## write docs/configuration.md and docs/metrics.md from the code
	$(GO) test . -run '^TestReferences$$' -update

certs: ## make a certificate authority and a server certificate in certs/
	@scripts/certs

clean: ## remove what the targets above have made, except certs/
	rm -f sonde_exporter test.log
	rm -rf dist mixin/out
