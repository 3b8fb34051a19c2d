#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The packed configuration is good as it is, and with the # taken away in front of every setting; each setting that the
# daemon knows is in it, and in the manual. (That the values are the defaults: tests/unit/test_lingerd_settings.c)
set -u
status=0
work=$(mktemp -d)
trap 'status=$?; rm -rf "$work"; exit $status' EXIT
fail() {
    echo "$*"
    exit 1
}
lingerd=$BUILD/lingerd

"$lingerd" --check-config --config packaging/lingerd.conf || fail "refused as it is"
sed -E 's/^#([a-z-]+ = )/\1/' packaging/lingerd.conf >"$work/all.conf"
"$lingerd" --check-config --config "$work/all.conf" || fail "refused with all settings"
# The example of the prose, too.
sed -E 's/^# (\[user |total-timeout|max-per-user)/\1/' packaging/lingerd.conf >"$work/users.conf"
"$lingerd" --check-config --config "$work/users.conf" || fail "refused with a user's settings"
# It is read at all.
echo 'idle-timeout = never' >>"$work/all.conf"
"$lingerd" --check-config --config "$work/all.conf" 2>/dev/null && fail "a mistake is taken"

"$lingerd" --help | grep -oE -- '--[a-z-]+' | sed 's/^--//' | sort -u | grep -vxE 'config|check-config|background|take-over|help|version' >"$work/settings"
[ "$(wc -l <"$work/settings")" -ge 17 ] || fail "few settings: $(cat "$work/settings")"
while read -r setting; do
    [ "$(grep -c "^#$setting = " packaging/lingerd.conf)" = 1 ] || fail "$setting is not there once"
    grep -q "^\.It Ic $setting " docs/man/lingerd.conf.5 || fail "$setting is not in lingerd.conf(5)"
done <"$work/settings"
exit 0
