#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Scenarios on servers that close plainly: what uploads lose with their own close() and keep with the handoff.
# shellcheck source=tests/cli/servers-lab.common
. tests/cli/servers-lab.common
need /usr/bin/gunicorn gunicorn
need /usr/bin/uwsgi-core uwsgi-core
need /usr/lib/uwsgi/plugins/python3_plugin.so uwsgi-plugin-python3

for server in gunicorn uwsgi; do
    run_small $server --set peers.use="prompt late uploader"
    [ "$(summary close uploader truncated)" -gt 0 ] || fail "$server: nothing was lost by close(): this shows nothing"
    for peer in prompt late uploader; do
        is lingerd $peer server $server
        is lingerd $peer complete 40
    done
done
exit 0
