#!/bin/sh
# SPDX-License-Identifier: MIT
# install-packages.sh [--check] SET...: installs those packages of packaging/packages-SET that are missing.
# install-packages.sh --named PACKAGE...: likewise of those packages.
# Says what it installs; silent when nothing is missing. --check: only says what is missing.
set -eu

policy=/usr/sbin/policy-rc.d

# As root, and one at a time: with two at once, the first to end would take the policy from the other, or leave it behind.
install_now() { # PACKAGE...
    log=$(mktemp)
    mine=
    # shellcheck disable=SC2317 # the trap calls it
    clean_up() {
        rm -f "$log"
        [ -z "$mine" ] || rm -f "$policy" ||
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
        printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
        chmod 755 "$policy"
    fi
    if ! { apt-get update -q &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "lingerd: apt-get failed (above); by hand: apt-get update && apt-get install $*" >&2
        exit 1
    fi
}

if [ "${1-}" = --now ]; then # this script's own
    shift
    install_now "$@"
    exit 0
fi

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
# -o: a service that is started after all, by the machine's own policy, must not hold the lock.
# shellcheck disable=SC2086 # one word per package
exec $as_root flock -o "${policy%/*}" sh "$0" --now $missing
