#!/bin/sh
# SPDX-License-Identifier: MIT
# install-packages.sh [--check] SET...: installs those packages of packaging/packages-SET that are missing.
# install-packages.sh --named PACKAGE...: likewise of those packages.
# Says what it installs; silent when nothing is missing. --check: only says what is missing.
set -eu

check=
if [ "${1-}" = --check ]; then
    check=yes
    shift
fi

here=$(dirname "$0")
if [ "${1-}" = --named ]; then
    shift
    wanted=$*
else
    wanted=$(for set in "$@"; do cat "$here/packages-$set"; done | sort -u | tr '\n' ' ')
fi
[ -n "$wanted" ] || exit 0

if ! command -v dpkg-query >/dev/null 2>&1; then
    [ -z "$check" ] || exit 0
    echo "lingerd: not a Debian system; have these (or their like) installed: $wanted" >&2
    exit 0
fi

# shellcheck disable=SC2086 # one word per package
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package} ' $wanted 2>/dev/null || true)
missing=
for package in $wanted; do
    case " $installed" in
    *" installed $package "*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

if [ -n "$check" ]; then
    echo "lingerd: not installed, \"make deps\" does it:$missing" >&2
    exit 0
fi

as_root=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "lingerd: packages are missing and this is not root; as root: apt-get install$missing" >&2
        exit 1
    fi
    as_root=sudo
fi

echo "lingerd: installing with apt-get:$missing"
log=$(mktemp)
policy=/usr/sbin/policy-rc.d
mine=
clean_up() {
    rm -f "$log"
    [ -z "$mine" ] || $as_root rm -f "$policy" ||
        echo "lingerd: remove $policy: it keeps services from being started" >&2
}
trap clean_up EXIT
trap 'exit 130' HUP INT PIPE TERM
# Servers are wanted as programs, not as services of this machine: Debian would start them. Not if the machine has
# a policy of its own.
# One of ours that a killed run left behind is taken away in the end, too.
mark="# of lingerd's package installation, for as long as it runs"
if [ ! -e "$policy" ] || grep -qF "$mark" "$policy" 2>/dev/null; then
    mine=yes
    printf '#!/bin/sh\n%s\nexit 101\n' "$mark" | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
fi
# shellcheck disable=SC2086 # one word per package
if ! { $as_root apt-get update -q && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -q \
    --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "lingerd: apt-get failed (above); by hand: apt-get update && apt-get install$missing" >&2
    exit 1
fi
