#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Many connections of all kinds of clients, TLS among them: each response whole, each in the access log, each
# connection ended well. What can be changed by the environment, to see more, or to measure:
#   APACHE_CONNECTIONS=33400   of each MPM
#   APACHE_MPMS="prefork"
#   APACHE_PEERS="late:/small tls:/large"   kinds of clients (http_peers.py) and what they ask for
#   APACHE_LINGERD=Off         Apache alone; then nothing is asserted
#   APACHE_WORKERS=4 APACHE_AT_ONCE=20   of the server, and how many clients it has
#   APACHE_LINE="MaxConnectionsPerChild 10"   a line of the configuration
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source=tests/cli/apache.common
. tests/cli/apache.common
connections=${APACHE_CONNECTIONS:-1500}
workers=${APACHE_WORKERS:-16}
at_once=${APACHE_AT_ONCE:-100}
lingerd=${APACHE_LINGERD:-On}

expect_all() {
    [ "$truncated" = 0 ] || fail "$mpm: $truncated of $connections responses are truncated"
    # Who has no line yet is about to write it: a client may have its response before that.
    logged() { [ "$(wc -l <"$work/access.log")" = "$responses" ]; }
    wait_for logged
    wait_for counts lingers 0
    for name in ended_idle ended_total ended_error ended_shutdown; do
        counts $name 0 || fail "$mpm: $name is $(counter $name)"
    done
}

start_lingerd
for mpm in ${APACHE_MPMS:-prefork worker event}; do
    before=$(counter handoffs)
    kinds=()
    peers="late:/small prompt:/1k prompt:/large tls:/1k tls:/large first:/1k tls_first:/1k"
    peers+=" uploader:/refused"
    # Event by itself cuts idle clients when its workers are taken.
    [ "$mpm" = event ] || peers+=" keepalive:/small"
    [ "$mpm" = worker ] && peers+=" h2:/small"
    for peer in ${APACHE_PEERS:-$peers}; do
        case $peer in
        tls* | h2*) kinds+=("${peer%%:*}:$tls_port:${peer#*:}") ;;
        *) kinds+=("${peer%%:*}:$port:${peer#*:}") ;;
        esac
    done
    modules_more=http2
    [ "$mpm" = prefork ] && modules_more=
    tls_lines="Protocols ${modules_more:+h2 }http/1.1" start_apache "$mpm" "KeepAliveTimeout 1" "${APACHE_LINE-}"
    soak "$connections" "$at_once" "${kinds[@]}"
    echo "$mpm, Lingerd $lingerd: $complete whole, $truncated truncated, $responses responses, $ms ms," \
        "$(($(counter handoffs) - before)) handoffs, $(wc -l <"$work/access.log") lines in the access log"
    [ "$lingerd" = Off ] || expect_all
    stop_apache
done
exit 0
