#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The running daemon has no capability, gets no new privileges and is under a filter in which calls that it does not
# need really fail; --sandbox off leaves it as it was started.
# shellcheck source=tests/cli/servers.common
. "${0%/*}/servers.common"

has() { # FIELD VALUE: of /proc/PID/status
    local value
    value=$(sed -n "s/^$1:\t*//p" "/proc/$lingerd_pid/status")
    [ "$value" = "$2" ] || fail "$1 is $value and not $2"
}

start_lingerd
for set in CapInh CapPrm CapEff CapAmb; do
    has $set 0000000000000000
done
has NoNewPrivs 1
if [ "$BUILD" = build/sanitized ] && [[ ${SAN:-address} == *address* ]]; then
    has Seccomp 0
else
    has Seccomp 2
    python3 "$support/filter_of.py" "$lingerd_pid" >"$work/calls" 2>"$work/filter.err"
    case $? in
    0)
        diff - "$work/calls" <<CALLS || fail "calls under the daemon's filter (>)"
execve EPERM
fork EPERM
socket-inet EPERM
socket-netlink EPERM
open-to-write EPERM
kill EPERM
chmod EPERM
write-and-execute EPERM
bind EPERM
affinity EPERM
socket-unix ok
socketpair ok
open-to-read ok
unread ok
CALLS
        ;;
    77) without_filter=$(cat "$work/filter.err") ;;
    *) fail "filter: $(cat "$work/filter.err")" ;;
    esac
fi
# It does its work there, and has done it when it ends.
python3 "$support/hand_over.py" "$work/lingerd.sock" 50 0.1 </dev/null >"$work/handed"
wait_for counts ended_fin 50
stop "$lingerd_pid"
[ -e "$work/lingerd.sock" ] && fail "the socket is still there"

# The processes beside it need less: they open nothing, but ask what a connection has unread.
if [ -s "$work/calls" ]; then
    lingerd_options=(--workers 2)
    start_lingerd
    shelf=$(pgrep -P "$lingerd_pid") || fail "no second process"
    python3 "$support/filter_of.py" "$shelf" >"$work/calls" 2>"$work/filter.err" || fail "filter: $(cat "$work/filter.err")"
    for line in 'open-to-read EPERM' 'socket-unix EPERM' 'socketpair ok' 'unread ok'; do
        grep -qx "$line" "$work/calls" || fail "not in a shelf: $line; it says $(paste -sd, "$work/calls")"
    done
    stop "$lingerd_pid"
fi

own=$(sed -n 's/^CapEff:\t*//p' /proc/self/status)
lingerd_options=(--sandbox off)
start_lingerd
has CapEff "$own"
has NoNewPrivs "$(sed -n 's/^NoNewPrivs:\t*//p' /proc/self/status)"
has Seccomp "$(sed -n 's/^Seccomp:\t*//p' /proc/self/status)"
[ -z "${without_filter:-}" ] || { echo "SKIP: the calls under the filter: $without_filter" && exit 77; }
exit 0
