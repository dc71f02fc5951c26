# Every job of the house. `make help` lists them; each first sees to the set-up it needs.

PORT ?= 8080

export PATH := $(CURDIR)/.tools/bin:$(PATH):$(HOME)/.cargo/bin
# Trunk reads NO_COLOR as a truth value and refuses the customary "1".
unexport NO_COLOR

WASM := --target wasm32-unknown-unknown --no-default-features --features app

.DEFAULT_GOAL := help
.PHONY: help serve dev build test test-native test-embed test-browser test-e2e shots bench lint size setup clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

serve: ## build the release page and serve it on a local port (PORT=8080 or the next free one)
	@.scripts/setup page
	@.scripts/serve $(PORT) --release --no-autoreload=true

dev: ## serve an unoptimised page that reloads when a file is saved
	@.scripts/setup page
	@.scripts/serve $(PORT)

build: ## build the release page into dist/ and hold it to its size budget
	@.scripts/setup page
	trunk build --release
	@.scripts/size

test: ## run every test: native, in a headless browser, and end to end on the built page
	@.scripts/setup rust page
	@# The page is compiled in one piece, on one core: the native tests have the others meanwhile.
	@$(MAKE) --no-print-directory -j2 test-native build
	@$(MAKE) --no-print-directory test-embed
	@$(MAKE) --no-print-directory test-browser
	@$(MAKE) --no-print-directory test-e2e

test-native: ## run only the native tests
	@.scripts/setup rust
	cargo test --workspace

test-embed: ## run only the tests of what is reported to a learning management system, in node
	node --test tests/embed/*.test.mjs

test-browser: ## run only the tests compiled to WebAssembly, in a headless browser
	@.scripts/setup browser
	CARGO_PROFILE_TEST_OPT_LEVEL=0 cargo test $(WASM) --lib --test browser

test-e2e: build ## run only the end-to-end tests, in Chromium on the built page
	@.scripts/setup browser
	cargo test --test e2e

shots: build ## write pictures of the page into target/shots
	@.scripts/setup browser
	cargo test --test e2e -- --ignored --exact shots::write

bench: build ## measure the core, native and in a headless browser, and the built page
	@.scripts/setup browser
	cargo bench
	cargo test --profile bench --target wasm32-unknown-unknown --no-default-features --bench browser \
	  -- --nocapture
	cargo test --test e2e -- --ignored --exact --nocapture pace::measure

lint: ## check formatting and run clippy, native and wasm
	@.scripts/setup lint
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo clippy --locked $(WASM) --lib --bin app --test browser --bench browser \
	  -- -D warnings

size: ## print the sizes of the built page against their budget
	@.scripts/size

setup: ## install whatever any job needs and this machine lacks
	@.scripts/setup rust lint page browser

clean: ## remove what was built (the tools in .tools stay)
	cargo clean
	rm -rf dist
