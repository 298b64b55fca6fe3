# Go, Node and make build and test all of it. "make help" lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION := $(or $(shell git describe --tags --always --dirty 2>/dev/null),unknown)
GOLANGCI := v2.15.0
FUZZTIME ?= 10s
EXAMPLES ?= 50
BENCH ?= .
N ?= 200
SEED ?= 1
# make false-alarms: the one rule to be played, for how many days the business is known.
RULE ?=
KNOWN ?= 56
# make pictures: where a demo is, where the Prometheus that scrapes it, which dashboards, of which folder.
URL ?= http://127.0.0.1:8080
PROMETHEUS ?=
DASHBOARDS ?=
FROM ?= dashboards/grafana/en
# make bench: what to compare with, which rows, how often, how large.
BENCH_BASE ?= 25ff740
BENCH_BUILD = bin/base-$(shell git rev-parse --verify --quiet '$(BENCH_BASE)^{commit}' 2>/dev/null)
ROWS ?=
TURNS ?= 2
SCALE ?= 1
# make bench-users: how many.
USERS ?= 10000000

# The same for build and test, so that both share what is compiled. The version
# comes from git describe above: the go command need not ask git.
export GOFLAGS := -trimpath -buildvcs=false $(GOFLAGS)
export CGO_ENABLED := 0

BIN := bin/tidewatch
WEB := dashboards/web
PLUGIN := dashboards/grafana/plugin
LINT := bin/golangci-lint-$(GOLANGCI)

# Packages in which goroutines meet.
RACE := ./alerts/... ./internal/api ./internal/app ./internal/demo ./internal/queryable ./internal/send ./state ./stream/jetstream

# Tests of those packages that compare numbers at length in one goroutine.
RACE_SKIP := ^(TestAnswersAreDescribed|TestCached|TestEpochsMatchModel|TestNoFactIsMissing|TestNothingIsEmpty|TestQueryable|TestReplay|TestShiftFalseAlarms|TestTerms)$$

# packages lists the folders whose Go tests match a pattern.
packages = $(sort $(dir $(shell grep -rlE --include='*_test.go' --exclude-dir=node_modules '$(1)' .)))

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: page binary ## Build the live page and the binary (bin/tidewatch)

.PHONY: binary
binary:
	go build -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN) ./cmd/tidewatch

.PHONY: page
page: dashboards/dist/index.html ## Build the live page

dashboards/dist/index.html: $(WEB)/node_modules/.package-lock.json \
		$(shell find $(WEB) -path $(WEB)/node_modules -prune -o -type f -print)
	npm --prefix $(WEB) run build
	@touch $@

.PHONY: page-packages
page-packages: $(WEB)/node_modules/.package-lock.json

$(WEB)/node_modules/.package-lock.json: $(WEB)/package.json $(WEB)/package-lock.json
	npm --prefix $(WEB) ci --no-audit --no-fund
	@touch $@

PLUGIN_ID := tidewatch-kpi-datasource
PLUGIN_DIR := bin/plugin/$(PLUGIN_ID)

.PHONY: plugin
plugin: need-zip $(PLUGIN)/node_modules/.package-lock.json ## Build Grafana's data source (bin/tidewatch-kpi-datasource-VERSION.zip)
	npm --prefix $(PLUGIN) run build
	rm -rf $(PLUGIN_DIR) && mkdir -p bin/plugin
	cp -r $(PLUGIN)/dist $(PLUGIN_DIR)
	for arch in amd64 arm64; do \
		GOOS=linux GOARCH=$$arch go build -ldflags '-s -w' -o $(PLUGIN_DIR)/gpx_tidewatch_linux_$$arch ./$(PLUGIN)/pkg; \
	done
	rm -f bin/$(PLUGIN_ID)-*.zip
	cd bin/plugin && zip -q -r -X ../$(PLUGIN_ID)-$(VERSION).zip $(PLUGIN_ID)

.PHONY: plugin-sign
plugin-sign: ## Sign the built data source with GRAFANA_ACCESS_POLICY_TOKEN; ROOT_URLS=http://localhost:3000 for a private one
	$(if $(GRAFANA_ACCESS_POLICY_TOKEN),,$(error GRAFANA_ACCESS_POLICY_TOKEN is not set: it is a token with the scope plugins:write of an access policy at grafana.com))
	@test -f $(PLUGIN_DIR)/plugin.json || { echo "$(PLUGIN_DIR) is missing: make plugin" >&2; exit 1; }
	npx --yes @grafana/sign-plugin --distDir $(PLUGIN_DIR) $(if $(ROOT_URLS),--rootUrls $(ROOT_URLS))
	rm -f bin/$(PLUGIN_ID)-*.zip
	cd bin/plugin && zip -q -r -X ../$(PLUGIN_ID)-$(VERSION).zip $(PLUGIN_ID)

.PHONY: plugin-packages
plugin-packages: $(PLUGIN)/node_modules/.package-lock.json

$(PLUGIN)/node_modules/.package-lock.json: $(PLUGIN)/package.json $(PLUGIN)/package-lock.json
	npm --prefix $(PLUGIN) ci --no-audit --no-fund
	@touch $@

.PHONY: dashboards
dashboards: ## Write the Grafana dashboards (dashboards/grafana) anew
	go run ./cmd/tidewatch grafana dashboards/grafana

.PHONY: pictures
pictures: need-chromium page-packages plugin-packages ## Draw the dashboards over the demo at URL anew (docs/grafana); DASHBOARDS='users alerts' chooses
	npm --prefix $(PLUGIN) run pictures -- --url $(URL) $(if $(PROMETHEUS),--prometheus $(PROMETHEUS)) --from $(abspath $(FROM)) $(DASHBOARDS)

.PHONY: run
run: build ## Build everything and start the demo; DEMO='--config demo.yaml' for its flags
	exec $(BIN) demo $(DEMO)

.PHONY: test
test: ## Run every test that needs no more than Go and Node
	@.ci/test

.PHONY: test-clients
test-clients: need-promtool need-amtool need-prometheus need-chromium build plugin-packages ## Run the tests with Prometheus, its tools and Chromium
	TIDEWATCH_BIN=$(abspath $(BIN)) go test -count=1 -tags clients $(call packages,^//go:build.*clients)
	TIDEWATCH_BIN=$(abspath $(BIN)) npm --prefix $(WEB) run test:browser
	TIDEWATCH_BIN=$(abspath $(BIN)) npm --prefix $(PLUGIN) run test:browser

.PHONY: race
race: need-gcc ## Run the packages in which goroutines meet with the race detector
	CGO_ENABLED=1 go test -race -skip '$(RACE_SKIP)' $(RACE)
	CGO_ENABLED=1 go test -race ./internal/scenario -oracle=false -run 'TestFaults|TestScripts/alert/checkpoint'

.PHONY: scenario
scenario: ## Run the scenario scripts, each in every way
	go test -count=1 -v ./internal/scenario

.PHONY: damage
damage: ## Damage every file of a data folder in every way
	TIDEWATCH_DAMAGE=all go test -count=1 -run TestDamage -v -timeout 30m ./internal/endtoend

.PHONY: differential
differential: ## Hold N (200) random cases to the oracle, from SEED on
	go test -count=1 -timeout 0 ./internal/differential -cases $(N) -seed $(SEED)

.PHONY: false-alarms
false-alarms: ## Hold the rules, or RULE alone, to months of a business in which all is well, and to one in which much is not
	go test -count=1 -timeout 0 -v -tags months ./internal/rehearsal -run TestFalseAlarms -seed $(SEED) $(if $(RULE),-rule $(RULE) -known $(KNOWN))

.PHONY: fuzz
fuzz: ## Fuzz every target for FUZZTIME (10s)
	@grep -rHoE --include='*_test.go' --exclude-dir=node_modules '^func Fuzz\w+' . | \
	while IFS=: read -r file target; do \
		echo "$${target#func } in $${file%/*}"; \
		go test -run '^$$' -fuzz "^$${target#func }$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$${file%/*}" </dev/null; \
	done

.PHONY: fuzz-api
fuzz-api: need-python3 need-schemathesis binary ## Fuzz the HTTP API by its description; EXAMPLES=500 for longer
	EXAMPLES=$(EXAMPLES) .ci/fuzz-api $(BIN)

.PHONY: bench
bench: binary $(BENCH_BUILD) ## Compare with the build of BENCH_BASE under load; ROWS=http,live chooses
	go build -o bin/tidewatch-bench ./internal/bench
	exec bin/tidewatch-bench -base $(BENCH_BUILD) -rows '$(ROWS)' -turns $(TURNS) -scale $(SCALE)

.PHONY: bench-alerts
bench-alerts: ## Measure from a second's end to the webhook, and what 1,000 rules cost
	$(MAKE) bench ROWS=alerts,rules TURNS=1

.PHONY: bench-facts
bench-facts: binary ## Measure what facts cost: KPIs over events alone against all, in turns
	go build -o bin/tidewatch-bench ./internal/bench
	exec bin/tidewatch-bench -facts -rows '$(ROWS)' -turns $(TURNS) -scale $(SCALE)

.PHONY: bench-users
bench-users: binary ## Measure what USERS (10000000) cost
	go build -o bin/tidewatch-bench ./internal/bench
	exec bin/tidewatch-bench -users $(USERS) -turns $(TURNS)

# What to compare with, built like our own from its commit, and kept by that.
bin/base-%:
	rm -rf $@.new && mkdir -p $@.new
	src=$$(mktemp -d); trap "rm -rf $$src" EXIT; \
	git archive $* | tar -x -C $$src; \
	(cd $$src && go build -ldflags '-s -w -X main.version=$*' -o $(CURDIR)/$@.new/tidewatch ./cmd/tidewatch); \
	cp $$src/kpi/catalogue.yaml $@.new/catalogue.yaml; \
	cp $$src/alerts/default.yml $@.new/rules.yml
	mv $@.new $@

bin/base-:
	@echo 'BENCH_BASE=$(BENCH_BASE) is no commit of this clone: fetch its history (git fetch --unshallow), or name another' >&2; exit 1

.PHONY: microbench
microbench: ## Run the benchmarks of the packages, or those that BENCH matches
	go test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 60m $(call packages,^func Benchmark)

.PHONY: acceptance
acceptance: binary ## Replay the records in DATA=DIR and compare every figure
	$(if $(DATA),,$(error DATA is not set: "make acceptance DATA=DIR" names the folder with the records and their expected.json))
	TIDEWATCH_BIN=$(abspath $(BIN)) ACCEPTANCE_DATA=$(abspath $(DATA)) \
		go test -count=1 -v -tags acceptance -timeout 80m ./internal/acceptance

.PHONY: lint
lint: $(LINT) page-packages plugin-packages ## Check style, layering, and the types of the page and the plugin
	$(LINT) run ./...
	npm --prefix $(WEB) run check
	npm --prefix $(PLUGIN) run check

# The linter is kept by version, built from source by the go command.
$(LINT):
	GOBIN=$(abspath bin) GOFLAGS= go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	mv bin/golangci-lint $@

.PHONY: check
check: lint test race ## Lint, test and race: what a change must pass

# A missing tool is named with the package of Debian that brings it.
need-promtool need-prometheus: package := prometheus
need-amtool: package := prometheus-alertmanager
need-chromium: package := chromium
need-gcc: package := gcc
need-python3: package := python3
need-zip: package := zip
need-schemathesis:
	@command -v schemathesis >/dev/null || { echo "schemathesis is missing: pip install schemathesis, in a virtual environment that is on PATH" >&2; exit 1; }
need-%:
	@command -v $* >/dev/null || { echo "$* is missing: install Debian's package $(package)" >&2; exit 1; }
