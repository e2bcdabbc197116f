# Shortcuts. `.ci/run` calls `make check`, `make test` and `make test-real`, nothing else.

# Where cargo puts what it builds.
BUILT := $(abspath $(or $(CARGO_TARGET_DIR),target))

# Tools that tests/setup.sh builds.
export PATH := $(BUILT)/tools/bin:$(PATH)

# Many tests wait for the processes that they start, so more run at a time than there are cores.
export RUST_TEST_THREADS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) * 3 / 2)))

# What cargo calls the packaged crate.
CRATE := tollgate-$(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)

.PHONY: help run test test-real check toolchain format rust-version clippy features docs package licences lint-lua public-api bench bench-growth bench-peers bench-chart bench-core bench-built soak abuse redis install uninstall build fmt clean

help: ## print these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' Makefile | while IFS='	' read -r name text; do printf 'make %-12s %s\n' "$$name" "$$text"; done

run: toolchain ## serve, with config.toml, on http://127.0.0.1:8080
	cargo run --locked --release

test: toolchain ## run all tests; installs redis-server and openssl if they are missing
	@tests/setup.sh redis-server openssl
	cargo test --locked --all-features
	cargo test --locked --no-default-features --lib

# Tests in tests/it/real, which `make test` leaves out.
test-real: toolchain ## run the tests that need a browser, proxies, systemd, Prometheus, other languages or a clock of their own; installs those if they are missing
	@tests/setup.sh redis-server nginx nginx-stream caddy haproxy apache2 chromium chromedriver axe-core promtool systemd-analyze man strace libfaketime python3 node schemathesis conformance envoy python-clients node-clients
	cargo test --locked --all-features --test it -- --ignored real::

check: format rust-version clippy features docs public-api package licences lint-lua ## lint, docs, features, public API, package and licences; installs cargo-deny, cargo-public-api, mdbook, lychee and luacheck if missing

toolchain:
	@tests/setup.sh rust cc

format: toolchain
	cargo fmt --all --check

rust-version: toolchain
	tests/rust-version.sh

clippy: toolchain
	cargo clippy --locked --workspace --all-features --all-targets -- -D warnings

features: toolchain
	for set in '' redis tls actix actix,redis tower redis,tower; do cargo clippy --locked --no-default-features --features "$$set" --all-targets -- -D warnings || exit 1; done
	! cargo tree --locked --no-default-features --edges normal --prefix none | grep -E '^(actix|redis|r2d2|rustls)'
	! cargo tree --locked --no-default-features --features actix --edges normal --prefix none | grep -E '^(redis|r2d2|clap|config|jsonwebtoken|aws-lc-rs|rustls|ureq) '
	! cargo tree --locked --no-default-features --features tower --edges normal --prefix none | grep -E '^(actix|redis|r2d2|clap|config|jsonwebtoken|aws-lc-rs|rustls|ureq|hyper|axum|tonic)'

# Of links within the repository the files and the headings must be there. Other sites are not asked.
BOOK := $(BUILT)/book

docs: toolchain ## build the crate's documentation and the book, and check their links; installs mdbook and lychee if missing
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --all-features
	@tests/setup.sh mdbook lychee
	mdbook build docs --dest-dir $(BOOK)
	lychee --offline --include-fragments --no-progress --root-dir $(BOOK) *.md docs/src $(BOOK)

public-api: toolchain ## compare the library's public API with tests/public-api.txt; installs cargo-public-api if missing
	@tests/setup.sh cargo-public-api
	tests/public-api.sh

# `make test` has run all tests. Here they are checked, since a file that they include may be missing in the package.
package: toolchain ## check the crate and its tests as it is packaged
	cargo package --locked --no-verify --allow-dirty
	rm -rf $(BUILT)/package/$(CRATE)
	tar -xzmf $(BUILT)/package/$(CRATE).crate -C $(BUILT)/package
	cd $(BUILT)/package/$(CRATE) && CARGO_TARGET_DIR=$(BUILT) cargo check --locked --all-features --all-targets

licences: toolchain
	@tests/setup.sh cargo-deny
	cargo deny --workspace check --hide-inclusion-graph licenses bans sources
	@if timeout 60 cargo deny fetch db 2>/dev/null; then cargo deny --workspace check --disable-fetch advisories; else echo 'Advisories were not checked: their database is out of reach.'; fi

lint-lua: toolchain
	@tests/setup.sh luacheck
	luacheck --quiet .luacheckrc
	luacheck --quiet --no-config --std lua53 --max-line-length 120 --read-globals core -- deploy/haproxy/tollgate.lua
	luacheck --quiet --no-config --std lua53 --max-line-length 120 --read-globals apache2 --globals ask -- deploy/apache/tollgate.lua
	@mkdir -p $(BUILT)
	rustc --edition 2024 -o $(BUILT)/print-lua lua/print.rs
	$(BUILT)/print-lua acquire >$(BUILT)/acquire.lua
	$(BUILT)/print-lua refund >$(BUILT)/refund.lua
	$(BUILT)/print-lua slots >$(BUILT)/slots.lua
	$(BUILT)/print-lua overrides >$(BUILT)/overrides.lua
	luacheck --quiet $(BUILT)/acquire.lua
	luacheck --quiet --no-unused $(BUILT)/refund.lua $(BUILT)/slots.lua $(BUILT)/overrides.lua

# The harness is a package of its own: the command that it measures is built without it, as it is shipped.
LOAD := cargo run --locked --release --package tollgate-load --
TOLLGATE := $(BUILT)/release/tollgate
RESULTS := $(BUILT)/bench
MEASURED := --tollgate $(TOLLGATE) --results $(RESULTS) --case '$(CASE)' --transport $(or $(TRANSPORT),tcp)
LONG := --rounds $(or $(ROUNDS),5) --seconds $(or $(SECONDS),5)
# Of the case `remote` alone: how far Redis is, and over how many connections requests come.
REMOTE := $(and $(DELAYS),--delays '$(DELAYS)') $(and $(CONNECTIONS),--connections '$(CONNECTIONS)')
# Of a series many points are measured.
SHORT := --rounds $(or $(ROUNDS),3) --seconds $(or $(SECONDS),1)

bench: bench-built ## measure the speed: CASE=name for one case, ROUNDS=5, SECONDS=5, TRANSPORT=tcp, for CASE=remote DELAYS=0.25,0.5,1 and CONNECTIONS=1,8,64,256; installs wrk if it is missing
	$(LOAD) run $(MEASURED) $(LONG) $(REMOTE)

bench-growth: bench-built ## measure how cost grows with connections, policies and keys: CASE=name for one series, KEYS=1000000 at most, ROUNDS=3, SECONDS=1
	$(LOAD) growth $(MEASURED) $(SHORT) --most-keys $(or $(KEYS),1000000)

bench-peers: bench-built ## measure what a user would pick instead; builds it, and takes Python packages from the registry
	@tests/setup.sh protoc libclang python3
	benches/peers/install.sh $(RESULTS)/peers
	$(LOAD) peers $(MEASURED) $(LONG)

bench-chart: toolchain ## draw docs/src/chart.svg from what `make bench` measured last
	$(LOAD) chart --results $(RESULTS) --output docs/src/chart.svg

bench-core: toolchain ## measure the parts of a decision, without a network, and how many lines of a log a replay takes; with goaccess beside it if that is installed
	cargo bench --locked --bench core

soak: toolchain ## break Redis again and again under load, and count what is admitted: SECONDS=600
	@tests/setup.sh redis-server
	$(LOAD) soak --seconds $(or $(SECONDS),600)

abuse: bench-built ## abuse the server in every known way beside honest clients, then nginx likewise: SECONDS=600 each, PHASE=name for one way, NGINX=0 for none
	@[ '$(NGINX)' = 0 ] || tests/setup.sh nginx
	$(LOAD) abuse --tollgate $(TOLLGATE) --seconds $(or $(SECONDS),600) --phase '$(PHASE)' --nginx $(or $(NGINX),1)

bench-built: toolchain
	@tests/setup.sh redis-server wrk
	cargo build --locked --release

redis: ## start a Redis on 127.0.0.1:6379 that keeps nothing; installs it if it is missing
	@tests/setup.sh redis-server
	$$(command -v redis-server || command -v valkey-server) --bind 127.0.0.1 --port 6379 --save '' --appendonly no

build: toolchain ## build the command, as it is installed
	cargo build --locked --release

# The configuration is kept where there is one: it is the operator's.
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
BINARY ?= $(TOLLGATE)
AT := $(DESTDIR)$(PREFIX)
MAN := $(AT)/share/man/man1
UNIT := $(AT)/lib/systemd/system/tollgate.service
CONFIG := $(DESTDIR)$(SYSCONFDIR)/tollgate/config.toml
BASH_COMPLETION := $(AT)/share/bash-completion/completions/tollgate
ZSH_COMPLETION := $(AT)/share/zsh/site-functions/_tollgate
FISH_COMPLETION := $(AT)/share/fish/vendor_completions.d/tollgate.fish

install: ## install what `make build` built, with its unit for systemd, manual and completions: PREFIX=/usr/local, SYSCONFDIR=/etc, DESTDIR=
	@[ -x '$(BINARY)' ] || { echo 'There is no $(BINARY): run make build first.' >&2; exit 1; }
	install -D -m 755 '$(BINARY)' '$(AT)/bin/tollgate'
	install -d '$(MAN)' '$(dir $(UNIT))' '$(dir $(BASH_COMPLETION))' '$(dir $(ZSH_COMPLETION))' '$(dir $(FISH_COMPLETION))'
	'$(BINARY)' man '$(MAN)'
	'$(BINARY)' completions bash >'$(BASH_COMPLETION)'
	'$(BINARY)' completions zsh >'$(ZSH_COMPLETION)'
	'$(BINARY)' completions fish >'$(FISH_COMPLETION)'
	sed 's|/usr/local/bin/|$(PREFIX)/bin/|; s|/etc/tollgate/|$(SYSCONFDIR)/tollgate/|' deploy/systemd/tollgate.service >'$(UNIT)'
	[ -e '$(CONFIG)' ] || install -D -m 644 config.toml '$(CONFIG)'

uninstall: ## remove what `make install` installed, but the configuration: the same PREFIX and DESTDIR
	rm -f '$(AT)/bin/tollgate' '$(UNIT)' '$(BASH_COMPLETION)' '$(ZSH_COMPLETION)' '$(FISH_COMPLETION)' '$(MAN)'/tollgate.1 '$(MAN)'/tollgate-*.1

fmt: toolchain ## format the sources
	cargo fmt --all

clean: ## remove all that was built, the tools of `make check` with it
	@tests/setup.sh rust
	cargo clean
