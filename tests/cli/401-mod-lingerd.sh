#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Debian's Apache with mod_lingerd and our daemon, with each MPM: workers are free while clients linger, nothing is
# lost, keep-alive and TLS are on.
# shellcheck source=tests/cli/apache.common
. tests/cli/apache.common

start_lingerd
for mpm in prefork worker event; do
    start_apache "$mpm"
    before=$(counter handoffs)

    # Native lingering would hold 4 workers for 300 ms each: 40 responses take 3 s.
    peers late "$port" /small 40
    expect_whole 40
    [ "$ms" -lt 1500 ] || fail "$mpm: 40 responses took $ms ms: the workers are held"
    wait_for counts handoffs $((before + 40))

    peers uploader "$port" /refused 20
    expect_whole 20
    wait_for counts handoffs $((before + 60))
    [ "$(grep -c '^413 1000' "$work/access.log")" = 20 ] || fail "$mpm: the access log has not 20 refusals with 1 MB"

    # Not more than half of the workers: event cuts idle clients when all of them are taken, with lingerd or without.
    peers keepalive "$port" /small 2
    expect_whole 2
    wait_for counts handoffs $((before + 62))
    [ "$(wc -l <"$work/access.log")" = 66 ] || fail "$mpm: $(wc -l <"$work/access.log") lines in the access log, not 66"

    peers tls "$tls_port" /large 8
    expect_whole 8
    wait_for counts handoffs $((before + 70))
    wait_for counts ended_fin $((before + 70))
    said 0 "[lingerd:" || fail "$mpm: the module complains, with the daemon there"
    stop_apache
done
exit 0
