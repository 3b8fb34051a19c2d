#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# On the wire, up to the server's FIN, a client cannot tell lingerd from Apache's own lingering close: the same bytes,
# and the FIN behind them.
# shellcheck source=tests/cli/apache.common
. tests/cli/apache.common
[ "$(id -u)" = 0 ] || {
    echo "SKIP: a capture needs root"
    exit 77
}
# One after the other, so that the lines of the capture are in this order.
serve() { # FILE
    local capture_pid kind path
    : >"$1" # the one of the MPM before says "ready", too
    python3 "$support/wire_streams.py" "$port" "$tls_port" >"$1" 2>>"$work/peers.err" &
    capture_pid=$!
    wait_for grep -q ready "$1"
    for kind in late prompt keepalive uploader; do
        for path in /small /large /refused; do
            peers "$kind" "$port" "$path" 1
            expect_whole 1
        done
    done
    for path in /small /1k /large; do
        peers tls "$tls_port" "$path" 1
        expect_whole 1
    done
    sleep 0.5
    stop "$capture_pid"
    [ "$(grep -c "bytes" "$1")" = 15 ] || fail "$(grep -c "bytes" "$1") connections captured, not 15: $(cat "$1")"
    grep -q "^0 bytes" "$1" && fail "a connection without a byte: $(cat "$1")"
}

wire() {
    # With RSA the handshake has the same length each time.
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 \
        -keyout "$work/key.pem" -out "$work/cert.pem" 2>"$work/openssl.out" || fail "openssl"
    start_lingerd
    lingerd=Off start_apache "$mpm"
    serve "$work/native"
    stop_apache
    lingerd=On start_apache "$mpm"
    serve "$work/handed"
    stop_apache
    [ "$(counter handoffs)" = 15 ] || fail "$mpm: $(counter handoffs) handoffs, not 15"
    [ "$(grep -c 'FIN at the end, 0 resets' "$work/handed")" = 15 ] || fail "$mpm: $(cat "$work/handed")"
    diff "$work/native" "$work/handed" >"$work/diff" || fail "$mpm: native and lingerd differ: $(cat "$work/diff")"
}

with_each_mpm wire
