#!/bin/sh
# Fails if a crate in Cargo.lock needs a newer Rust than `rust-version` in Cargo.toml promises.
# Cargo itself takes such a crate without a word where no older version fits.
set -eu

ours=$(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml)

# Of each package: the path of its manifest, then its rust-version, if it has one.
cargo metadata --locked --all-features --format-version 1 |
    grep -o '"manifest_path":"[^"]*"\|"rust_version":"[^"]*"' |
    awk -F '"' -v ours="$ours" '
        function number(version, parts) {
            split(version, parts, ".")
            return parts[1] * 1000000 + parts[2] * 1000 + parts[3]
        }
        $2 == "manifest_path" {
            crates++
            crate = path[split($4, path, "/") - 1]
        }
        $2 == "rust_version" && number($4) > number(ours) {
            print crate " needs Rust " $4 ", but Cargo.toml promises " ours "."
            failed = 1
        }
        END {
            if (failed) print "Take older versions: cargo tree --invert CRATE says who asks for one, cargo update -p CRATE --precise VERSION takes another."
            if (!crates) print "cargo metadata named no crates."
            exit failed || !crates
        }' >&2
