#!/bin/sh
# Installs what `make bench-peers` compares with, in one directory: benches/peers/install.sh DIRECTORY
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/bin"
into=$(cd "$1" && pwd)

cargo build --quiet --release --manifest-path "$here/Cargo.toml" --target-dir "$into/build"
cp "$into/build/release/peers" "$into/bin/peers"

[ -x "$into/bin/throttlecrab-server" ] ||
    cargo install --quiet --locked --root "$into" --target-dir "$into/build" \
        --version 0.4.40 throttlecrab-server

[ -x "$into/venv/bin/gunicorn" ] || {
    python3 -m venv "$into/venv"
    "$into/venv/bin/pip" install --quiet \
        'Flask==3.*' 'Flask-Limiter[redis]==3.*' 'gunicorn==23.*' 'redis==5.*'
}
cp "$here"/*.py "$into/"
