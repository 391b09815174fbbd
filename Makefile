# make demo shows what pgflit does, make test passes the tests. Both install what the machine
# lacks first, and say so.

export PATH := $(HOME)/.cargo/bin:$(PATH)
PREFIX ?= /usr/local
# Inputs of each test of make fuzz.
CASES ?= 2000000
# Fresh data folders that clusters are copied from. Clusters themselves go with their owner.
TEMPLATES := /tmp/pgflit-clusters-*/template-* /dev/shm/pgflit-clusters-*/template-*

.DEFAULT_GOAL := help
.PHONY: help demo test test-long test-regression fuzz bench bench-copy bench-apply bench-live bench-proxy bench-cutover bench-compare lint build install uninstall generate doc clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: ## Set up, then move a busy database between two throw-away clusters (ARGS="--scale 50")
	@.ci/setup
	cargo build --release --quiet
	./target/release/pgflit demo $(ARGS)

test: ## Set up, then run everything that must pass
	@.ci/setup test
	@$(MAKE) --no-print-directory lint
	@if cargo nextest --version >/dev/null 2>&1; \
	then echo cargo nextest run; cargo nextest run; \
	else echo cargo test; cargo test --lib --bins --tests -- --test-threads=4; \
	fi
	cargo test --doc --quiet
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --quiet

test-long: ## Set up, then run the tests with much data too
	@.ci/setup test
	PGFLIT_LONG=1 cargo nextest run --profile long

test-regression: ## Set up, then run PostgreSQL's own tests through the proxy, and clone their database (needs the network)
	@.ci/setup test
	PGFLIT_REGRESSION=1 cargo nextest run --profile long postgresqls_own

fuzz: ## Try the parsers of what others send with two million hostile inputs each (CASES=100000)
	@.ci/setup test
	PROPTEST_CASES=$(CASES) CARGO_PROFILE_RELEASE_LTO=off cargo test --release --lib --quiet hostile

bench: bench-copy bench-apply bench-proxy bench-cutover bench-compare ## Set up, then compare all of it with its peers and limits

bench-copy: ## The base copy alone (ARGS="--only small")
	@.ci/setup test
	PGCOPYDB=$$(benches/pgcopydb target/peers) cargo bench --bench base_copy -- $(ARGS)

bench-apply: ## Apply alone, and how soon changes arrive (ARGS="--only W1,lag --runs 1 --scale small")
	@.ci/setup test
	PGCOPYDB=$$(benches/pgcopydb target/peers) cargo bench --bench apply -- $(ARGS)

bench-proxy: ## The proxy alone (ARGS="--only select --clients 1,16")
	@.ci/setup test
	cargo bench --bench proxy -- $(ARGS)

bench-cutover: ## How long clients wait when traffic moves (ARGS="--only '8 clients' --runs 1")
	@.ci/setup test
	cargo bench --bench cutover -- $(ARGS)

bench-compare: ## Comparing rows alone (ARGS="--only narrow --megabytes 200")
	@.ci/setup test
	PGCOPYDB=$$(benches/pgcopydb target/peers) cargo bench --bench compare -- $(ARGS)

bench-live: ## How soon changes arrive, alone (ARGS="--rates 500 --seconds 60")
	@.ci/setup test
	cargo bench --bench apply -- --only lag $(ARGS)

lint: ## Formatting and lints
	cargo fmt --check
	cargo clippy --all-targets --quiet -- -D warnings

build: ## Build the program: target/release/pgflit
	cargo build --release

# What is installed; give it, and nothing is built first: make install BINARY=target/release/pgflit
BINARY ?= target/release/pgflit
DOC := $(DESTDIR)$(PREFIX)/share/doc/pgflit

install: $(if $(filter file,$(origin BINARY)),build) ## Install all there is below PREFIX (/usr/local), in DESTDIR
	install -D -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/pgflit
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -D -m 644 completions/pgflit.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/pgflit
	install -D -m 644 completions/_pgflit $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_pgflit
	install -D -m 644 completions/pgflit.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/pgflit.fish
	install -D -m 644 LICENSE $(DOC)/LICENSE
	install -D -m 644 docs/proxy.example.toml $(DOC)/examples/proxy.example.toml
	install -D -m 644 docs/monitoring/alerts.yml $(DOC)/examples/alerts.yml
	install -D -m 644 docs/monitoring/grafana.json $(DOC)/examples/grafana.json
	install -D -m 644 packaging/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/pgflit.conf
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	for unit in pgflit@.service pgflit-proxy@.service; do \
	    sed 's|/usr/bin/pgflit|$(PREFIX)/bin/pgflit|' packaging/$$unit \
	        >$(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit || exit 1; \
	done

uninstall: ## Remove what install has put there
	cd $(DESTDIR)$(PREFIX) && rm -rf bin/pgflit share/man/man1/pgflit.1 share/man/man1/pgflit-*.1 \
	    share/bash-completion/completions/pgflit share/zsh/site-functions/_pgflit \
	    share/fish/vendor_completions.d/pgflit.fish share/doc/pgflit lib/sysusers.d/pgflit.conf \
	    lib/systemd/system/pgflit@.service lib/systemd/system/pgflit-proxy@.service

generate: ## Write man/ and completions/ anew from the command line's definition
	cargo run --quiet -- generate .

doc: ## Build the code's documentation: target/doc/pgflit/index.html
	cargo doc --no-deps

clean: ## Remove what was built, and the templates of throw-away clusters
	cargo clean
	rm -rf $(TEMPLATES)
