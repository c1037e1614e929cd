# `make help` lists what can be done. Everything that is missing is installed first; what is
# installed and built lies in ~/.cache/drover, so the checkout stays as small as it was cloned.

SHELL := /bin/bash
STEPS ?= 1000000
export PORT DATA_DIR

.PHONY: help demo dev test setup build bench simulate simulate-safety screenshots fmt clean-cache

help: ## list the commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' Makefile | expand -t 24

demo: ## install what is missing, build, and run Drover with sample repositories [PORT=, DATA_DIR=]
	@exec .ci/demo

dev: ## the same, rebuilt and restarted at each save [PORT=, DATA_DIR=]
	@exec .ci/dev

test: ## install what is missing and run every check
	@.ci/test

setup: ## install what is missing, for the demo and the tests
	@.ci/setup test

build: ## build the program and the site that it serves
	@.ci/setup demo
	@.ci/build

bench: ## measure the figures that README gives: id | measured | goal | ok or short
	@.ci/setup demo
	@.ci/bench

simulate: ## play the merge queue against other policies and print the figures
	@. .ci/settings && cargo run --release --quiet --package drover \
		--features simulation --example simulate

simulate-safety: ## hunt for a queue that lands what it has not tested [STEPS=]
	@. .ci/settings && cargo run --release --quiet --package drover \
		--features simulation --example simulate -- safety $(STEPS)

screenshots: ## make the pictures of README anew
	@.ci/setup test
	@.ci/build
	@. .ci/settings && SCREENSHOTS=1 npx playwright test --config end2end --project screenshots

fmt: ## format the code
	@cargo fmt --all

clean-cache: ## remove what was built and installed under ~/.cache/drover
	@.ci/clean-cache
