#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Where io_uring is not allowed, as in many containers, its strategy says so in one line, and nothing is taken for a result.
. tests/cli/lingerbench.common

cat >"$work/without" <<'PY'
import errno, os, sys
import seccomp
rules = seccomp.SyscallFilter(seccomp.ALLOW)
rules.add_rule(seccomp.ERRNO(getattr(errno, sys.argv[1])), "io_uring_setup")
rules.load()
os.execv(sys.argv[2], sys.argv[2:])
PY
/usr/bin/python3 -c 'import seccomp' 2>"$work/err" || {
    echo "SKIP: the filter needs python3-seccomp"
    exit 77
}
for error in EPERM:'Operation not permitted' ENOSYS:'Function not implemented'; do
    status=0
    /usr/bin/python3 "$work/without" "${error%%:*}" "$bench" run quick "${brief[@]}" --set strategies.use=io_uring \
        --out "$work/results" >"$work/out" 2>"$work/err" || status=$?
    expect 1 "strategy io_uring cannot prepare: ${error#*:}"
    [ "$(grep -c 'cannot prepare' "$work/err")" = 1 ] || fail "said more than once"
    [ -z "$(find "$work/results" -name summary.csv)" ] || fail "results of a run that could not begin"
done

# The other strategies do not need it.
/usr/bin/python3 "$work/without" EPERM "$bench" run quick "${brief[@]}" --out "$work/results" >"$work/out" 2>"$work/err" ||
    fail "close fails without io_uring"
exit 0
