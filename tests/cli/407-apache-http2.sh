#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# HTTP/2: what is handed over is the connection, once, after all its streams and its GOAWAY; never a stream.
# shellcheck source=tests/cli/apache.common
. tests/cli/apache.common

start_lingerd
for mpm in worker event; do
    # Its own threads serve the streams; the connection's thread waits for them.
    modules_more=http2 workers=8 tls_lines="Protocols h2 http/1.1" start_apache "$mpm" "KeepAliveTimeout 1"
    for path in /small /large; do
        before=$(counter handoffs)
        : >"$work/access.log"
        peers h2 "$tls_port" "$path" 4
        expect_whole 4
        wait_for counts handoffs $((before + 4))
        [ "$(grep -c '^200 ' "$work/access.log")" = 20 ] || fail "$mpm: not 20 requests in the access log"
    done
    wait_for counts lingers 0
    said 0 "[lingerd:" || fail "$mpm: the module complains"
    stop_apache
done
counts handoffs 16 || fail "$(counter handoffs) handoffs, not 16"
exit 0
