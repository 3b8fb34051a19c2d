#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Scenarios on Apache through TLS, whose end is a close_notify of its own, and on Apache with PHP.
# shellcheck source=tests/cli/servers-lab.common
. tests/cli/servers-lab.common
need /usr/sbin/apache2 apache2-bin
need /usr/lib/apache2/modules/libphp8.2.so libapache2-mod-php8.2

for server in apache-tls apache-php; do
    run_small $server --set peers.use="prompt late uploader"
    for strategy in native lingerd; do
        for peer in prompt late uploader; do
            is $strategy $peer complete 40
        done
    done
done
exit 0
