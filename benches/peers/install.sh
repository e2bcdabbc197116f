#!/bin/sh
# Installs what `make bench-peers` compares with, in one directory: benches/peers/install.sh DIRECTORY
# What cannot be had is left out, and said so.
set -u

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/bin" || exit 1
into=$(cd "$1" && pwd)

{
    cargo build --quiet --locked --release --manifest-path "$here/Cargo.toml" --target-dir "$into/build" &&
        cp "$into/build/release/peers" "$into/bin/peers"
} || echo 'The apps around other crates could not be built.' >&2

[ -x "$into/bin/throttlecrab-server" ] ||
    cargo install --quiet --locked --root "$into" --target-dir "$into/build" \
        --version 0.4.40 throttlecrab-server ||
    echo 'throttlecrab could not be installed.' >&2

[ -x "$into/venv/bin/gunicorn" ] || {
    python3 -m venv "$into/venv" &&
        "$into/venv/bin/pip" install --quiet \
            'Flask==3.*' 'Flask-Limiter[redis]==3.*' 'gunicorn==23.*' 'redis==5.*'
} || echo 'Flask and its limiter could not be installed.' >&2
cp "$here"/*.py "$into/"
