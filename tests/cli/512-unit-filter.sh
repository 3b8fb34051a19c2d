#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Under the filter of system calls that lingerd.service has, the daemon does all that it does: takes connections,
# answers, serves metrics, reads its file again, lets a new process take over and ends. What the filter forbids fails.
# shellcheck source=tests/cli/servers.common
. "${0%/*}/servers.common"
if [ "$BUILD" = build/sanitized ]; then
    echo "SKIP: sanitizers call the kernel for themselves"
    exit 77
fi
/usr/bin/python3 -c 'import seccomp' 2>/dev/null || { echo "SKIP: no python3-seccomp" && exit 77; }
command -v systemd-analyze >/dev/null || { echo "SKIP: no systemd-analyze" && exit 77; }

# Without capabilities, as the service is: there is nothing then that the daemon would have to drop.
filtered() { # PROGRAM [ARGUMENT]...
    exec setpriv --bounding-set=-all --inh-caps=-all /usr/bin/python3 "$support/under_filter.py" packaging/systemd/lingerd.service.in "$@"
}

# It is a filter: neither privileged calls nor other families of sockets.
(filtered /usr/bin/python3 -c 'import os; os.setgroups([])') 2>"$work/setgroups"
grep -q PermissionError "$work/setgroups" || fail "setgroups() is allowed: $(cat "$work/setgroups")"
(filtered /usr/bin/python3 -c 'import socket; socket.socket()') 2>"$work/socket"
grep -q PermissionError "$work/socket" || fail "TCP sockets are allowed: $(cat "$work/socket")"
(filtered /bin/true) || fail "nothing is allowed"

cat >"$work/lingerd.conf" <<C
[lingerd]
socket = $work/lingerd.sock
socket-mode = 0666
metrics = unix:$work/metrics.sock
allow-users = root
allow-groups = $(id -gn)
idle-timeout = 60
[user root]
total-timeout = 60
C
start_filtered() { # [OPTION]...
    (filtered "$build/lingerd" --config "-$work/lingerd.conf" "$@") 2>>"$work/lingerd.err" 3>&- &
    lingerd_pid=$!
}

start_filtered
wait_for counter handoffs
[ "$(sed -n 's/^Seccomp:\t//p' "/proc/$lingerd_pid/status")" = 2 ] || fail "no filter"
python3 "$support/hand_over.py" "$work/lingerd.sock" 100 0.1 </dev/null >"$work/handed" || fail "handoffs"
[ "$(cat "$work/handed")" = '100 0' ] || fail "handed: $(cat "$work/handed")"
wait_for counts ended_fin 100
curl -sS --unix-socket "$work/metrics.sock" http://localhost/metrics 2>"$work/curl.err" | grep -q '^lingerd_handoffs_total 100$' || fail "metrics"

"$build/lingerctl" reload --socket "$work/lingerd.sock" 2>"$work/reload.err" || fail "reload: $(cat "$work/reload.err")"
rm "$work/lingerd.conf.off" 2>/dev/null
mv "$work/lingerd.conf" "$work/lingerd.conf.off"
"$build/lingerctl" reload --socket "$work/lingerd.sock" 2>"$work/reload.err"
grep -qi 'permi' "$work/reload.err" && fail "reload without a file: $(cat "$work/reload.err")"
mv "$work/lingerd.conf.off" "$work/lingerd.conf"
"$build/lingerctl" reload --socket "$work/lingerd.sock" 2>"$work/reload.err" || fail "reload: $(cat "$work/reload.err")"

# The next one takes over what lingers, for as long as the clients are held.
mkfifo "$work/hold"
python3 "$support/hand_over.py" "$work/lingerd.sock" 50 never <"$work/hold" >"$work/handed" &
exec 3>"$work/hold"
wait_for counts lingers 50
old=$lingerd_pid
start_filtered --take-over
wait "$old" || fail "the old one ends with $?"
wait_for counts restored 50
exec 3>&-
wait_for counts lingers 0
stop "$lingerd_pid"
lingerd_pid=
tail -n 1 "$work/lingerd.err" | grep -q '^lingerd: ended: ' || fail "no last line"
grep -iE 'not permitted|denied' "$work/lingerd.err" && fail "something was forbidden"
exit 0
