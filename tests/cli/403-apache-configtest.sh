#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is wrong with mod_lingerd's directives is said by configtest, and by the compiler what is wrong with an httpd.
# shellcheck source=tests/cli/apache.common
. tests/cli/apache.common

configtest() { # DIRECTIVE TEXT: what configtest says of a wrong directive
    write_config prefork "$1"
    apache2 -t -f "$work/apache.conf" >"$work/configtest.out" 2>&1 && fail "configtest takes: $1"
    grep -qF -- "$2" "$work/configtest.out" || fail "configtest does not say: $2; but $(cat "$work/configtest.out")"
}

write_config prefork "LingerdIdleTimeout 0.5" "LingerdTotalTimeout 3600"
apache2 -t -f "$work/apache.conf" >"$work/configtest.out" 2>&1 || fail "$(cat "$work/configtest.out")"

configtest "LingerdSocket run/lingerd.sock" "'run/lingerd.sock' is no absolute path"
configtest "LingerdSocket /$(printf '%0107d' 0)" "the path has 108 bytes, a socket path 107 at most"
configtest "LingerdSocket $work/pages/small" "$work/pages/small is there and is no socket"
configtest "LingerdSocket $work" "$work is there and is no socket"
configtest "Lingerd Perhaps" "Lingerd must be On or Off"
for name in LingerdIdleTimeout LingerdTotalTimeout; do
    for value in 0 -1 2s 3601 0.0001 1e3; do
        configtest "$name $value" "$name: '$value' is no time in seconds, from 0.001 to 3600"
    done
done
configtest "<Location /a>
Lingerd On
</Location>" "Lingerd not allowed"

# An MPM that we do not know: prefork, under another name.
cat >"$work/mod_strange.c" <<'C'
#include <httpd.h>
#include <http_config.h>
#include <ap_mpm.h>
#include <mpm_common.h>

static const char *strange(void)
{
	return "strange";
}

static void hooks(apr_pool_t *pool)
{
	ap_hook_mpm_get_name(strange, NULL, NULL, APR_HOOK_REALLY_FIRST);
}

module AP_MODULE_DECLARE_DATA strange_module = { STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, hooks };
C
read -ra flags < <(echo "-I$(apxs2 -q INCLUDEDIR) $(apr-1-config --cppflags --includes)")
cc -shared -fPIC "${flags[@]}" "$work/mod_strange.c" -o "$work/mod_strange.so" || fail "mod_strange does not build"
configtest "LoadModule strange_module $work/mod_strange.so" "knows the MPMs prefork, worker and event, not strange"
lingerd=Off write_config prefork "LoadModule strange_module $work/mod_strange.so"
apache2 -t -f "$work/apache.conf" >"$work/configtest.out" 2>&1 || fail "Lingerd Off is refused: $(cat "$work/configtest.out")"

# An httpd whose hook is missing: 2.4.18 says so of itself.
mkdir "$work/old"
sed 's/^#define MODULE_MAGIC_NUMBER_MINOR .*/#define MODULE_MAGIC_NUMBER_MINOR 54/' \
    "$(apxs2 -q INCLUDEDIR)/ap_mmn.h" >"$work/old/ap_mmn.h"
cc -fsyntax-only -I. -Iuser "-I$work/old" "${flags[@]}" apache-shim/mod_lingerd.c 2>"$work/old.out" &&
    fail "it builds against httpd 2.4.18"
grep -q "needs Apache httpd 2.4.19 or later" "$work/old.out" || fail "the compiler does not say what is too old"
exit 0
