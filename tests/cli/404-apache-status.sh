#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the server tells of mod_lingerd: mod_status, as page and as lines, through a graceful restart; the scoreboard,
# where lingering workers show natively and do not with lingerd; one line in the error log, not one a connection.
# shellcheck source=tests/cli/apache.common
. tests/cli/apache.common

shows() { # KEY VALUE
    [ "$(apache_status "$1")" = "$2" ]
}

expect_shown() { # KEY VALUE...
    while [ $# != 0 ]; do
        shows "$1" "$2" || fail "the status says $1: $(apache_status "$1"), not $2"
        shift 2
    done
}

# curl closes as soon as it has the end of the status, so its own connections are in doubt; late peers are not.
start_lingerd
workers=12
start_apache prefork
before=$(apache_status LingerdHandoffs)
peers late "$port" /small 20
[ "$(apache_status LingerdHandoffs)" -ge $((before + 20)) ] || fail "not 20 handoffs in the status"
expect_shown LingerdSocket "$work/lingerd.sock" LingerdBreaker closed LingerdFallbackNoDaemon 0 LingerdFallbackBreaker 0
curl -s "http://127.0.0.1:$port/status" >"$work/status.html"
grep -q "<h2>lingerd at $work/lingerd.sock</h2>" "$work/status.html" || fail "no section in the page"
grep -q "<dt>Breaker: closed</dt>" "$work/status.html" || fail "no breaker in the page"
grep -q "</body></html>" "$work/status.html" || fail "the page is cut"

# The same counters after a restart that unloads the module.
before=$(apache_status LingerdHandoffs)
graceful
[ "$(apache_status LingerdHandoffs)" -ge "$before" ] || fail "the graceful restart has lost the counters"

kill_lingerd
# Each of the twelve workers may be in the middle of a handoff when the first one fails.
peers late "$port" /small 60
expect_whole 60
failed=$(apache_status LingerdFallbackNoDaemon)
skipped=$(apache_status LingerdFallbackBreaker)
[ "$failed" -ge 1 ] || fail "no failure in the status"
[ "$((failed + skipped))" -ge 60 ] || fail "$failed + $skipped fallbacks, not 60"
[ "$failed" -lt "$skipped" ] || fail "the breaker let $failed of $((failed + skipped)) through"
[ "$(apache_status LingerdBreaker)" != closed ] || fail "the breaker is closed, without a daemon"
said 1 "lingering natively" || fail "not one line about the lost daemon"

start_lingerd
wait_for_handoffs
wait_for shows LingerdBreaker closed
said 1 "is back" || fail "not one line about the daemon's return"
stop_apache

# A socket that Apache's user may not write to.
chmod 0600 "$work/lingerd.sock"
start_apache prefork
peers late "$port" /small 20
expect_whole 20
[ "$(apache_status LingerdFallbackNotAllowed)" -ge 1 ] || fail "no refused handoff in the status"
said 1 "Permission denied: no handoff to lingerd" || fail "not one line about the permissions"
said 1 "[lingerd:" || fail "the module says more than one line"
chmod 0666 "$work/lingerd.sock"
wait_for_handoffs
stop_apache

# Into $now: the workers that show as closing. Without another program, to read often.
read_closing() {
    local line workers=
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET /status?auto HTTP/1.0\r\n\r\n' >&3
    while read -r line; do
        [[ $line = Scoreboard:* ]] && workers=${line#Scoreboard:}
    done <&3
    exec 3<&-
    workers=${workers//[^C]/}
    now=${#workers}
}

# Workers that linger while late clients are connected: as many as show in three readings of the scoreboard in a row, since
# one alone may come upon several that are about to hand over. The workers are more than the clients.
closing() {
    python3 tests/support/http_peers.py late "$port" /small 8 >/dev/null 2>>"$work/peers.err" &
    local peers_pid=$! most=0 now latest=0 before=0 earlier=0
    while kill -0 $peers_pid 2>/dev/null; do
        read_closing
        earlier=$before before=$latest latest=$now
        [ "$before" -lt "$now" ] && now=$before
        [ "$earlier" -lt "$now" ] && now=$earlier
        [ "$now" -gt "$most" ] && most=$now
    done
    wait $peers_pid
    echo "$most"
}
lingerd=Off start_apache prefork
[ "$(closing)" -ge 4 ] || fail "natively no workers show as closing: this test shows nothing"
stop_apache
start_apache prefork
seen=$(closing)
[ "$seen" -le 1 ] || fail "$seen workers linger, with lingerd"
stop_apache
exit 0
