# Everything a person does with this repository. `make` alone lists it.
#
# All programs run on the project's own Node (node_modules/.bin/node, see tools/setup.sh): the machine's may be older.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-test demo check format compatibility test crash crash-fleet soak bench bench-fleet dist clean

BIN := node_modules/.bin
NODE := $(BIN)/node
export PATH := $(CURDIR)/$(BIN):$(PATH)

help: ## this list
	@echo "Fairlead: a Docker-compatible container system in TypeScript"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: ## install what Fairlead is built from and runs on (says what; nothing to do: no time)
	@tools/setup.sh

setup-test:
	@tools/setup.sh test

demo: setup ## run, exec into and stop real containers, on a private engine that leaves nothing behind
	@tools/demo.sh

check: setup ## types, lint, format, import law, size limits, bans, docs: seconds
	@$(NODE) tools/check.ts

format: setup ## rewrite the sources the way `make check` wants them
	@$(BIN)/oxfmt

compatibility: setup ## make docs/compatibility.md of the endpoint table and of what the tests show
	@$(NODE) tools/make-compatibility.ts

test: setup-test check ## check, unit tests, tests on the real kernel, conformance (as root)
	@$(NODE) tools/run-tests.ts $(TESTS)

crash: setup-test ## kill the engine at every place where it changes the world, and look at what the next one makes of it: half an hour
	@CRASH_POINTS=all TEST_TIMEOUT_MS=7200000 $(NODE) tools/run-tests.ts 'conformance/crash/*.test.ts'

crash-fleet: setup-test ## kill a host's agent at every record of its journal, for every verb, and cut a terminal for long: half an hour
	@CRASH_POINTS=all TEST_TIMEOUT_MS=7200000 $(NODE) tools/run-tests.ts conformance/fleet/agent-crash.test.ts conformance/fleet/sessions.test.ts

soak: setup-test ## twenty minutes of random verbs from 16 clients that hang up (SOAK_SECONDS, SOAK_CLIENTS, SOAK_SEED)
	@SOAK_SECONDS=$${SOAK_SECONDS:-1200} TEST_TIMEOUT_MS=86400000 $(NODE) tools/run-tests.ts conformance/soak/soak.test.ts

bench-fleet: setup-test ## measure a fleet of simulated agents on this machine (FLEET_AGENTS)
	@$(NODE) bench/fleet/main.ts --agents $${FLEET_AGENTS:-1000} --save

bench: setup-test ## measure Fairlead, dockerd, podman and the bare runtime side by side (as root)
	@$(NODE) bench/main.ts --save $(BENCH)

bench-client: setup-test ## measure the client, dockerode and @docker/node-sdk side by side (as root)
	@$(NODE) bench/client/main.ts --save $(BENCH)

dist: setup ## the npm packages in the form that is published, into dist/
	@$(NODE) tools/publish/build-packages.ts

clean: ## remove what the project made here: node_modules, builds, what an interrupted demo left running
	@tools/demo.sh --clean
	@rm -rf node_modules native/build .cache packages/*/dist dist
