#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The scenario on nginx: what its clients get follows from lingering_close.
# shellcheck source=tests/cli/servers-lab.common
. tests/cli/servers-lab.common
need /usr/sbin/nginx "nginx"

run_small nginx --set peers.use="prompt uploader chatter-late"
is lingering_close_always chatter-late complete 40
exit 0
