#!/bin/sh
# Installs what `make` needs and does not find: tests/setup.sh redis-server luacheck wrk protoc cargo-deny cc
set -eu

main() {
    if [ "$1" = --as-root ]; then
        install_as_root "$2"
        return
    fi
    for tool in "$@"; do
        command -v "$tool" >/dev/null && continue
        case $tool in
        redis-server) install_package redis-server ;;
        luacheck) install_package lua-check ;;
        wrk) install_package wrk ;;
        protoc) install_package protobuf-compiler ;;
        cargo-deny) install_cargo_deny ;;
        cc) fail "There is no C compiler (cc), which Rust links with: install gcc and libc6-dev." ;;
        *) fail "$tool is missing: install it." ;;
        esac
    done
}

# From the system's packages, as root or with sudo.
install_package() {
    command -v apt-get >/dev/null ||
        fail "$1 is missing, and there is no apt-get to install it with: install it yourself."
    echo "Installing $1 from the system's packages."
    if [ "$(id -u)" = 0 ]; then
        sh "$0" --as-root "$1"
    elif command -v sudo >/dev/null; then
        sudo sh "$0" --as-root "$1"
    else
        fail "$1 is missing, and only root can install it: run apt-get install $1 as root."
    fi || fail "$1 could not be installed: the reason stands above."
}

# A package that brings a service would start it now and at every boot: neither is wanted.
install_as_root() {
    policy=/usr/sbin/policy-rc.d
    trap 'rm -f "$policy"; [ ! -e "$policy.saved" ] || mv "$policy.saved" "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    [ ! -e "$policy" ] || mv "$policy" "$policy.saved"
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"

    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update || true # older lists may do
    apt-get -qq --no-install-recommends -y install "$1" >/dev/null
    [ "$1" != redis-server ] || update-rc.d redis-server disable
}

# Beside the build, unoptimised: it has a few hundred manifests to read, and builds in a third of
# the time.
install_cargo_deny() {
    echo "Installing cargo-deny in the target directory: this takes a few minutes."
    cargo install --quiet --locked --debug --root "${CARGO_TARGET_DIR:-target}/tools" \
        --version 0.20.2 cargo-deny || fail "cargo-deny could not be installed: the reason stands above."
}

fail() {
    echo "$1" >&2
    exit 1
}

main "$@"
