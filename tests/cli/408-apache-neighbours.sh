#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Other modules are none the worse for mod_lingerd: what mod_logio counts, how mod_reqtimeout ends a connection, the
# backends of mod_proxy.
# shellcheck source=tests/cli/apache.common
. tests/cli/apache.common
modules_more="reqtimeout proxy proxy_http"
workers=24
logged() { # COUNT: so many lines, which come after the responses
    [ "$(wc -l <"$work/full.log")" = "$1" ]
}

# The same clients, and what was logged of them. In a connection of several requests httpd counts a byte of the next one
# for this one or for that, depending on when it comes: there %I is left out.
serve() { # FILE
    local kind path fields requests
    : >"$1"
    for path in /large /backend/small; do
        for kind in late prompt keepalive first; do
            : >"$work/full.log"
            peers "$kind" "$port" "$path" 4
            expect_whole 4
            fields=1- requests=1
            [ $kind = keepalive ] && fields=1,3- requests=3
            wait_for logged $((4 * requests))
            sort "$work/full.log" | cut -d ' ' -f "$fields" >>"$1"
        done
    done
}

neighbours() {
    local more=(
        "Listen 127.0.0.1:$backend_port"
        "CustomLog $work/full.log \"%s %I %O %X %r\""
        "RequestReadTimeout header=1"
        "ProxyPass /backend http://127.0.0.1:$backend_port"
        "<VirtualHost 127.0.0.1:$backend_port>"
        "Lingerd Off"
        "CustomLog $work/backend.log %s"
        "</VirtualHost>"
    )
    start_lingerd
    lingerd=Off start_apache "$mpm" "${more[@]}"
    serve "$work/native"
    stop_apache
    lingerd=On start_apache "$mpm" "${more[@]}"
    serve "$work/handed"
    [ "$(wc -l <"$work/handed")" = 48 ] || fail "$mpm: $(wc -l <"$work/handed") lines in the access log, not 48"
    diff "$work/native" "$work/handed" >"$work/diff" || fail "$mpm: the access log differs: $(cat "$work/diff")"
    # Late, prompt and keepalive clients let the server close first; those that close first may be handed over, too.
    # More there are not: what the server has with its backend is no client's.
    wait_for counts lingers 0
    handed=$(counter handoffs)
    { [ "$handed" -ge 24 ] && [ "$handed" -le 32 ]; } || fail "$mpm: $handed handoffs, not 24 to 32"

    # A client that has let a request time out gets 2 s in all, as natively.
    ended=$(counter ended_total)
    peers stall "$port" /small 4
    expect_whole 4
    wait_for counts ended_total $((ended + 4))
    grep -q "^408 " "$work/access.log" || fail "$mpm: no 408 in the access log"
    said 0 "[lingerd:" || fail "$mpm: the module complains"
    stop_apache
}

# The total timeout is the daemon's, unless somebody says something else.
lingerd_options=(--idle-timeout 20 --total-timeout 20)
with_each_mpm neighbours
