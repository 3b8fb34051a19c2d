#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What make install puts down is enough to build a program against the library by pkg-config, and to run it;
# make uninstall takes all of it away.
set -u
status=0
work=$(mktemp -d)
trap 'status=$?; rm -rf "$work"; exit $status' EXIT
fail() {
    echo "$*"
    cat "$work/log"
    exit 1
}
san=
[ "$BUILD" = build/sanitized ] && san=${SAN:-address,undefined}

make --no-print-directory SAN="$san" DESTDIR="$work/root" PREFIX=/opt/linger install >"$work/log" 2>&1 || fail "install"
cat >"$work/try.c" <<'C'
#include <errno.h>
#include <linger.h>

int main(void)
{
	struct linger_client *client;
	int error;

	if (linger_client_open(&client, "/nowhere/lingerd.sock"))
		return 1;
	error = linger_handoff(client, 0);
	linger_client_close(client);
	return error == -ENOENT ? 0 : 2;
}
C
export PKG_CONFIG_PATH=$work/root/opt/linger/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$work/root
# shellcheck disable=SC2046 # flags are words
cc ${san:+-fsanitize=$san} -Wall -Werror "$work/try.c" $(pkg-config --cflags --libs liblinger) -o "$work/try" >"$work/log" 2>&1 ||
    fail "does not build against the installed library"
LD_LIBRARY_PATH=$work/root/opt/linger/lib "$work/try" || fail "the program answers $?"
[ "$(PKG_CONFIG_SYSROOT_DIR='' pkg-config --variable=libdir liblinger)" = /opt/linger/lib ] || fail "pkg-config file"
# shellcheck disable=SC2016 # pkg-config's
grep -qx 'includedir=${prefix}/include' "$work/root/opt/linger/lib/pkgconfig/liblinger.pc" || fail "pkg-config file has no prefix"
for page in man3/linger_{handoff,handoff_with,client_open,client_open_with,client_close}.3 man8/lingerd.8 man8/lingertrace.8 man7/lingerd-protocol.7 man1/lingerbench.1; do
    [ -s "$work/root/opt/linger/share/man/$page" ] || fail "no $page"
done
for shared in prometheus/lingerd.rules.yml prometheus/lingertrace.rules.yml grafana/lingerd.json; do
    [ -s "$work/root/opt/linger/share/lingerd/$shared" ] || fail "no $shared"
done
for document in answers apache metrics preload protocol reliability results tracer; do
    [ -s "$work/root/opt/linger/share/doc/lingerd/$document.md" ] || fail "no $document.md"
done
# Where they name files of the tree that are installed, the installed ones.
grep -rnE '^\.Pa [a-z]+/|\]\((man|\.\.)/|packaging/grafana' "$work/root/opt/linger/share/"{man,doc} |
    grep -v 'user/liblinger/protocol.h' >"$work/log" && fail "a path of the tree"
grep -q '^\.Pa /opt/linger/share/doc/lingerd/metrics.md' "$work/root/opt/linger/share/man/man8/lingerd.8" || fail "no path of lingerd.8"
for file in lib/systemd/system/lingerd.socket lib/systemd/system/lingerd.service lib/systemd/system/lingertrace.service \
    lib/sysusers.d/lingerd.conf lib/tmpfiles.d/lingerd.conf \
    share/bash-completion/completions/linger{d,ctl,trace,bench} share/zsh/site-functions/_linger{d,ctl,trace,bench}; do
    [ -s "$work/root/opt/linger/$file" ] || fail "no $file"
done
"$work/root/opt/linger/sbin/lingerd" --version >"$work/log" || fail "installed lingerd"
grep -qx "lingerd $(sed -n 's/^VERSION *:= //p' user/user.mk)" "$work/log" || fail "installed lingerd is of another version"

[ -s "$work/root/opt/linger/lib/liblinger-preload.so" ] || fail "no preload library"

make --no-print-directory SAN="$san" DESTDIR="$work/root" install-apache >"$work/log" 2>&1 || fail "install-apache"
module=$(sed -n 's/^LoadModule lingerd_module //p' "$work/root/etc/apache2/mods-available/lingerd.load")
[ -s "$work/root$module" ] || fail "lingerd.load names $module, which is not there"
[ -s "$work/root/etc/apache2/mods-available/lingerd.conf" ] || fail "no lingerd.conf"
make --no-print-directory SAN="$san" DESTDIR="$work/root" uninstall-apache >"$work/log" 2>&1 || fail "uninstall-apache"

(
    cd "$work" || exit 1
    root/opt/linger/bin/lingerbench list >log 2>&1 && grep -q '^  quick ' log
) || fail "the installed lingerbench finds no scenarios"
"$work/root/opt/linger/bin/lingerbench" run quick --out "$work/results" --set load.connections=4 --set load.blocks=1 \
    --set strategies.use=lingerd --set peers.use=prompt >"$work/log" 2>&1 || fail "the installed lingerbench runs no lingerd"

# What an administrator has written stays, as long as it differs.
config=$work/root/etc/lingerd/lingerd.conf
echo '# mine' >>"$config"
make --no-print-directory SAN="$san" DESTDIR="$work/root" PREFIX=/opt/linger install uninstall >"$work/log" 2>&1 || fail "again"
[ "$(tail -n 1 "$config")" = '# mine' ] || fail "a changed lingerd.conf is gone"
cp packaging/lingerd.conf "$config"

make --no-print-directory SAN="$san" DESTDIR="$work/root" PREFIX=/opt/linger uninstall >"$work/log" 2>&1 || fail "uninstall"
find "$work/root" -type f -o -type l >"$work/log"
[ ! -s "$work/log" ] || fail "uninstall leaves files"
exit 0
