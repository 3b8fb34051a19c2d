# SPDX-License-Identifier: MIT
# lingerd: the public targets. What is built, and how, stands in bpf/, user/ and tests/ (*.mk).

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

SCENARIO ?= quick
PREFIX   ?= /usr/local
DESTDIR  ?=
# Which tests test-vm runs, as tests/run takes them; none: those of the kernel side and of systemd's.
PATTERN  ?=
# On which of Debian 12's kernels: 6.1 or 6.12.
KERNEL   ?= 6.1
# How long make fuzz runs each of its targets.
FUZZ_SECONDS ?= 300
# How many connections make soak lingers.
SOAK_LINGERS ?= 1000000
# How many compilers, linters and tests run at a time.
JOBS     ?= $(shell nproc)
# Sanitizers, as clang and gcc spell them: make SAN=address,undefined test
SAN      ?=
# One build directory per flavour, so that a sanitized object never meets a plain one.
BUILD    := build$(if $(SAN),/sanitized)

# One line a step; V=1 shows the commands.
Q    := $(if $(V),,@)
step  = $(if $(V),,@printf '  %-8s %s\n' $(1) $@)

include bpf/bpf.mk
include user/user.mk
include apache-shim/apache.mk
include tests/tests.mk
include packaging/install.mk

.PHONY: all say-missing deps deps-test deps-lint run-scenario docs-figures test test-vm vm-shell fuzz soak bench deb test-deb lint clean help

all: say-missing $(BPF_OBJECTS) $(USER_ARTEFACTS) ## build everything into build/

# Before the compiler says it in its own words.
say-missing:
	@packaging/install-packages.sh --check build

deps: ## install what the build needs (Debian packages)
	@packaging/install-packages.sh build

deps-test:
	@packaging/install-packages.sh build test

deps-vm:
	@packaging/install-packages.sh build test vm

deps-bench:
	@packaging/install-packages.sh build bench

deps-fuzz:
	@packaging/install-packages.sh build fuzz

deps-deb:
	@packaging/install-packages.sh build deb

deps-test-deb:
	@packaging/install-packages.sh build deb test-deb

deps-lint:
	@packaging/install-packages.sh build lint

# The scenario knows its servers, and each server its packages.
run-scenario: deps ## install what is missing, build, run scenarios/$(SCENARIO).ini, print the table
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@packages=$$($(BUILD)/lingerbench packages $(SCENARIO)) && packaging/install-packages.sh --named $$packages
	@$(if $(VM),$(MAKE) --no-print-directory deps-vm && mkdir -p results && tests/vm/run --keep results --) $(BUILD)/lingerbench run $(SCENARIO)

# Of SCENARIO="a b" alone; DRY_RUN=1 says what would be run, READ=1 judges the results that there are, VM=1 runs them in QEMU.
docs-figures: deps ## run the scenarios that documents quote (half an hour), say which figures still hold; DRY_RUN=1: which, how long
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(if $(VM),$(MAKE) --no-print-directory deps-vm)
	@BUILD=$(BUILD) docs/figures.py $(if $(DRY_RUN),--dry-run) $(if $(READ),--read) \
		$(if $(VM),--within 'tests/vm/run --keep results --') $(if $(filter file,$(origin SCENARIO)),,$(SCENARIO))

test: deps-test ## install what is missing, build, run every test that needs no virtual machine
	@$(MAKE) --no-print-directory -j$(JOBS) all tests-build
	@BUILD=$(BUILD) tests/run

test-vm: deps-vm ## install what is missing, build, run the kernel side's and systemd's tests on a stock kernel in QEMU
	@$(MAKE) --no-print-directory -j$(JOBS) all tests-build
	@BUILD=$(BUILD) KERNEL=$(KERNEL) tests/vm/run $(PATTERN)

vm-shell: deps-vm ## a shell on that kernel; tests/vm/run -- COMMAND runs one command
	@BUILD=$(BUILD) KERNEL=$(KERNEL) tests/vm/run --shell

fuzz: deps-fuzz ## install what is missing, build, fuzz what reads input of others, FUZZ_SECONDS (300) each
	@$(MAKE) --no-print-directory fuzz-programs
	@tests/fuzz/run $(FUZZ_SECONDS)

soak: deps ## build, linger SOAK_LINGERS (1000000) connections with mixed peers, look for what grows
	@$(MAKE) --no-print-directory -j$(JOBS) all $(BUILD)/soak
	@BUILD=$(BUILD) $(BUILD)/soak $(SOAK_LINGERS)

bench: deps-bench ## install what is missing, build, measure side by side with the peers, as ratios
	@$(MAKE) --no-print-directory -j$(JOBS) all bench-build
	@BUILD=$(BUILD) tests/bench/lingerd.py
	@packaging/install-packages.sh --named $$($(BUILD)/lingerbench packages worker-pool) $$($(BUILD)/lingerbench packages linger-cost)
	@BUILD=$(BUILD) tests/bench/pools.py
	@BUILD=$(BUILD) tests/bench/tracer.py

deb: deps-deb ## install what is missing, build the Debian packages into build/deb/
	@V=$(V) packaging/build-deb.sh

test-deb: deb deps-test-deb ## build them; install, use, upgrade and purge them in a Debian tree of their own (as root)
	@tests/deb/run

lint: deps-lint ## formatter, clang-tidy, cppcheck, shellcheck
	@$(MAKE) --no-print-directory -j$(JOBS) lint-checks

clean: ## remove build/
	rm -rf build

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16
