# shellcheck shell=sh disable=SC2034
# install.sh - sourced by ./check and ./quickstart: Debian packages that are missing get installed.

say() {
    printf '%s: %s\n' "${0##*/}" "$*"
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Runs a command as root: as we are, else by sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        die "root is needed for: $* (become root, or install sudo)"
    fi
}

# Servers among the packages must not start on this machine by being installed: a policy-rc.d that
# says no is there for the time of the installation (invoke-rc.d(8)).
install_quietly() {
    policy=/usr/sbin/policy-rc.d
    made=
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        made=yes
    fi
    status=0
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" ||
        status=$?
    [ -z "$made" ] || as_root rm -f "$policy"
    return "$status"
}

# Installs those of the named packages that are not there.
need_packages() {
    command -v dpkg-query >/dev/null 2>&1 ||
        die "this needs Debian's packages; on another system install what README.md lists"
    missing=
    for package in "$@"; do
        case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) in
        ii*) ;;
        *) missing="$missing $package" ;;
        esac
    done
    [ -n "$missing" ] || return 0
    say "installing$missing"
    log=$(mktemp)
    # shellcheck disable=SC2086
    { as_root apt-get update -q && install_quietly $missing; } >"$log" 2>&1 || {
        cat "$log" >&2
        rm -f "$log"
        die "apt-get could not install:$missing"
    }
    rm -f "$log"
}

BUILD_PACKAGES="gcc libc6-dev cmake ninja-build pkg-config libcurl4-openssl-dev libsqlite3-dev
    libyaml-dev libpcre2-dev libxxhash-dev libzstd-dev libbrotli-dev zlib1g-dev libzip-dev libxml2-dev ca-certificates tzdata"
TEST_PACKAGES="libcmocka-dev python3 python3-yaml python3-httpbin gunicorn nginx-light tinyproxy sqlite3 openssl procps iproute2 libfaketime"
LINT_PACKAGES="clang clang-format clang-tidy libclang-rt-14-dev shellcheck"
FULL_PACKAGES="systemd systemd-container debootstrap libyajl-dev libjansson-dev python3-requests
    python3-aiohttp"
# Node.js may be there from elsewhere, and then Debian's packages cannot be installed beside it.
command -v npm >/dev/null 2>&1 || FULL_PACKAGES="$FULL_PACKAGES nodejs npm"
