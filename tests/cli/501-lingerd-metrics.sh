#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lingerd --metrics: over TCP and on a Unix socket, in forms that strict readers take, with the values that
# lingerctl has; places that are wrong, taken or open to others; without it nothing listens.
# shellcheck source=tests/cli/servers.common
. "${0%/*}/servers.common"
# shellcheck source=tests/cli/metrics.common
. "${0%/*}/metrics.common"
openmetrics='application/openmetrics-text; version=1.0.0; charset=utf-8'

url() { # where the metrics are, as the log says
    sed -n 's/^lingerd: metrics: //p' "$work/lingerd.err" | tail -n 1
}

refuses() { # WHAT-IT-SAYS OPTION...: does not start, with one line
    local said=$1
    shift
    timeout 10 "$build/lingerd" --socket "$work/other.sock" "$@" 2>"$work/refusal.err" && fail "took: $*"
    grep -qF -e "$said" "$work/refusal.err" || fail "does not say: $said"
    [ "$(wc -l <"$work/refusal.err")" = 1 ] || fail "not one line: $*"
}

end_lingerd() {
    kill -TERM "$lingerd_pid"
    wait "$lingerd_pid" || fail "exit status $?"
    lingerd_pid=
}

for address in 127.0.0.1 '[::1]'; do
    lingerd_options=(--metrics "$address:0" --idle-timeout 3)
    start_lingerd
    [[ $(url) == "http://$address:"[1-9]*/metrics ]] || fail "does not say its port: $(url)"
    python3 "$support/hand_over.py" "$work/lingerd.sock" 20 0.1 >"$work/handed" </dev/null
    python3 "$support/hand_over.py" "$work/lingerd.sock" 3 5 >"$work/handed" </dev/null
    wait_for counts lingers 0
    python3 - "$work/lingerd.sock" <<'PY'
import socket
import struct
import sys

sender = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
sender.connect(sys.argv[1])
sender.send(struct.pack("IHHHHI", 0x474E494C, 1, 16, 1, 1, 0))  # a handoff of nothing
PY
    wait_for counts refused_no_fd 1
    curl -gsS -D "$work/head" -o "$work/metrics" "$(url)" || fail "no answer"
    grep -qiF "content-type: $openmetrics" "$work/head" || fail "content type"
    strict "$work/metrics" >"$work/values" || fail "no OpenMetrics"
    has 'lingerd_handoffs_total{} 23'
    has 'lingerd_lingers{} 0'
    has 'lingerd_ends_total{cause=fin} 20'
    has 'lingerd_ends_total{cause=idle} 3'
    has 'lingerd_refusals_total{cause=no_fd} 1'
    has 'lingerd_drained_bytes_total{} 2300'
    has 'lingerd_linger_seconds_count{} 23'
    has 'lingerd_fin_seconds_count{} 20'
    has 'lingerd_fin_seconds_bucket{le=1.0} 20'
    has 'lingerd_linger_seconds_bucket{le=1.0} 20' # the others had their 3 s
    has "lingerd_lingers_peak{} $(counter lingers_peak)"
    has "lingerd_max_connections{} $(counter max_connections)"
    started=$(sed -n 's/^lingerd_start_time_seconds //p' "$work/metrics")
    [ $(($(date +%s) - started)) -lt 60 ] || fail "start time: $started"
    curl -gsS -H 'Accept: text/plain' "$(url)" >"$work/plain" || fail "no answer"
    promtool check metrics <"$work/plain" >"$work/promtool" 2>&1 || fail "promtool does not like it"
    [ -s "$work/promtool" ] && fail "promtool has remarks: $(cat "$work/promtool")"
    for want in "404 -o $work/x $(url)x" "405 -o $work/x -d body $(url)" "200 -I -o $work/x $(url)"; do
        # shellcheck disable=SC2086 # words
        [ "$(curl -gs -w '%{http_code}' ${want#* })" = "${want%% *}" ] || fail "not ${want%% *}: $want"
    done
    place=$(url)
    place=${place#http://}
    refuses 'another process listens there' --metrics "${place%/metrics}"
    end_lingerd
done

# A Unix socket: for its user and group, gone at the end; a stale one is replaced, other files are not.
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$work/metrics.sock"
lingerd_options=(--metrics "unix:$work/metrics.sock")
start_lingerd
[ "$(stat -c %a "$work/metrics.sock")" = 660 ] || fail "mode of the socket"
curl -sS --unix-socket "$work/metrics.sock" http://localhost/metrics >"$work/metrics" || fail "no answer"
strict "$work/metrics" >"$work/values" || fail "no OpenMetrics"
refuses 'another process listens there' --metrics "unix:$work/metrics.sock"
end_lingerd
[ -e "$work/metrics.sock" ] && fail "left its socket behind"
echo precious >"$work/file"
refuses 'a file that is no socket is there' --metrics "unix:$work/file"
[ "$(cat "$work/file")" = precious ] || fail "overwrote a file"

# Settings are checked without listening anywhere, and SIGHUP does not move the endpoint.
refuses "metrics: 'localhost:9466': \"localhost\" is not a numeric address" -t --metrics localhost:9466
printf '[lingerd]\nmetrics = 0.0.0.0:9466\n' >"$work/conf"
refuses '0.0.0.0 can be reached by others' -t --config "$work/conf"
printf '[lingerd]\nmetrics = file:/tmp/x\n' >"$work/conf"
refuses "conf:2: metrics: 'file:/tmp/x': lingerd writes no files" -t --config "$work/conf"
printf '[lingerd]\nmetrics = 0.0.0.0:9466\nmetrics-remote = on\n' >"$work/conf"
"$build/lingerd" -t --config "$work/conf" 2>"$work/refusal.err" || fail "refuses a good file"
printf '[lingerd]\nmetrics = 127.0.0.1:0\n' >"$work/conf"
lingerd_options=(--config "$work/conf")
start_lingerd
place=$(url)
printf '[lingerd]\nmetrics = none\nidle-timeout = 7\n' >"$work/conf"
"$build/lingerctl" reload --socket "$work/lingerd.sock" 2>"$work/reload.err" || fail "reload"
grep -q 'metrics cannot change while lingerd runs' "$work/lingerd.err" || fail "no warning"
grep -q 'idle timeout 7 s' "$work/lingerd.err" || fail "the rest of the file is not in force"
curl -sS "$place" | grep -q '^# EOF' || fail "the endpoint is gone"
end_lingerd

# Nothing listens unless it is wanted.
lingerd_options=()
start_lingerd
ls -l "/proc/$lingerd_pid/fd" >"$work/fds"
sockets=$(grep -c socket: "$work/fds")
[ "$sockets" = 1 ] || fail "$sockets sockets without --metrics"
end_lingerd
