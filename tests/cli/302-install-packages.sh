#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What installs missing packages keeps their services from being started, and leaves no trace of that: with two of them
# at once, after a failure, when interrupted. A policy of the machine's own stays. With an apt-get that installs nothing
# and an empty /usr/sbin.
set -u
if [ -z "${IN_NAMESPACE-}" ]; then
    if [ "$(id -u)" != 0 ] || ! unshare --mount true 2>/dev/null; then
        echo "SKIP: needs root, and mounts of its own" && exit 77
    fi
    IN_NAMESPACE=yes exec unshare --mount "$0"
fi
work=$(mktemp -d) status=0
trap 'status=$?; rm -rf "$work"; exit $status' EXIT
fail() {
    echo "$*"
    cat "$work"/out* "$work/seen" 2>/dev/null
    exit 1
}
policy=/usr/sbin/policy-rc.d
mount -t tmpfs none /usr/sbin || fail "no mount"
mkdir "$work/bin"
export PATH=$work/bin:$PATH work TMPDIR=$work
: >"$work/seen"
cat >"$work/bin/apt-get" <<'SH'
#!/bin/sh
[ "$1" = install ] || exit 0
for _ in 1 2 3 4 5; do
    echo "$(grep -c . /usr/sbin/policy-rc.d 2>&1)" >>"$work/seen"
    sleep 0.1
done
[ ! -e "$work/fails" ]
SH
chmod +x "$work/bin/apt-get"

install() {
    packaging/install-packages.sh --named lingerd-no-such-package
}

install >"$work/out1" 2>&1 &
first=$!
sleep 0.3
install >"$work/out2" 2>&1 || fail "the second fails"
wait "$first" || fail "the first fails"
[ "$(grep -c '^3$' "$work/seen")" = 10 ] || fail "services could have been started"
[ ! -e $policy ] || fail "the policy is left"

: >"$work/fails"
install >"$work/out1" 2>&1 && fail "a failure is not told"
grep -q 'by hand: apt-get update && apt-get install lingerd-no-such-package' "$work/out1" || fail "nothing is said of the failure"
[ ! -e $policy ] || fail "the policy is left after a failure"
rm "$work/fails"

setsid packaging/install-packages.sh --named lingerd-no-such-package >"$work/out1" 2>&1 &
first=$!
for _ in {1..100}; do
    [ -e $policy ] && break
    sleep 0.05
done
[ -e $policy ] || fail "there is no policy while it installs"
kill -TERM -- -$first
wait "$first" && fail "an interruption is not told"
for _ in {1..100}; do
    [ -e $policy ] || break
    sleep 0.05
done
[ ! -e $policy ] || fail "the policy is left by an interruption"

printf '#!/bin/sh\n# of the machine\n' >$policy
cp $policy "$work/before"
install >"$work/out1" 2>&1 || fail "fails with a policy"
cmp -s $policy "$work/before" || fail "the machine's own policy is not what it was"
exit 0
