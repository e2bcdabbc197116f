#!/bin/sh
# Fails if the library's public API is not the one in tests/public-api.txt, so that every change of it is seen.
# `tests/public-api.sh --update` writes the file anew.
#
# rustdoc's JSON is not stable. Where this Rust's rustdoc has another format than cargo-public-api reads, nothing
# is compared.
set -eu

target=${CARGO_TARGET_DIR:-target}
listing=tests/public-api.txt
PATH=$target/tools/bin:$PATH
command -v cargo-public-api >/dev/null || { echo "cargo-public-api is missing: tests/setup.sh cargo-public-api installs it."; exit 1; }

RUSTC_BOOTSTRAP=1 cargo rustdoc --quiet --locked --lib --all-features -- \
    -Z unstable-options --output-format json --cap-lints allow
# Without implementations that are derived, automatic or blanket.
if ! cargo-public-api public-api -sss --rustdoc-json "$target/doc/tollgate.json" >"$target/public-api.txt"; then
    echo "The public API was not compared: cargo-public-api does not read what $(rustdoc --version) writes."
    exit 0
fi
if [ "${1-}" = --update ]; then
    cp "$target/public-api.txt" "$listing"
elif ! diff -u "$listing" "$target/public-api.txt"; then
    echo "The public API has changed. If that is meant, run tests/public-api.sh --update, and say so in CHANGELOG.md."
    exit 1
fi
