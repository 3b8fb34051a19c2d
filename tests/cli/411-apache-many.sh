#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Many connections of all kinds of clients, TLS among them: each response whole, each in the access log, each
# connection ended well. APACHE_CONNECTIONS=100000 APACHE_MPMS="prefork worker event" for more of them; with
# TEST_TIMEOUT in seconds, when tests/run is what runs it.
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source=tests/cli/apache.common
. tests/cli/apache.common
connections=${APACHE_CONNECTIONS:-1500}
workers=16

start_lingerd
for mpm in ${APACHE_MPMS:-prefork worker event}; do
    before=$(counter handoffs)
    modules_more=http2
    [ "$mpm" = prefork ] && modules_more=
    kinds=("late:$port:/small" "prompt:$port:/1k" "prompt:$port:/large" "tls:$tls_port:/1k" "tls:$tls_port:/large"
        "first:$port:/1k" "tls_first:$tls_port:/1k")
    # Event by itself cuts idle clients when its workers are taken, and loses a refused upload now and then; on a busy
    # machine some connections are left to it.
    [ "$mpm" = event ] || kinds+=("keepalive:$port:/small" "uploader:$port:/refused")
    [ "$mpm" = worker ] && kinds+=("h2:$tls_port:/small")
    tls_lines="Protocols ${modules_more:+h2 }http/1.1" start_apache "$mpm" "KeepAliveTimeout 1"
    soak "$connections" 100 "${kinds[@]}"
    echo "$mpm: $complete whole, $truncated truncated, $responses responses, $ms ms," \
        "$(($(counter handoffs) - before)) handoffs, $(wc -l <"$work/access.log") lines in the access log"
    [ "$truncated" = 0 ] || fail "$mpm: $truncated of $connections responses are truncated"
    # Who has no line yet is about to write it: a client may have its response before that.
    logged() { [ "$(wc -l <"$work/access.log")" = "$responses" ]; }
    wait_for logged
    wait_for counts lingers 0
    for name in ended_idle ended_total ended_error ended_shutdown; do
        counts $name 0 || fail "$mpm: $name is $(counter $name)"
    done
    stop_apache
done
exit 0
