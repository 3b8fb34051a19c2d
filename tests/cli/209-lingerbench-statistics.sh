#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The lab's own statistics give the same as SciPy's, on the same samples: quantiles, intervals of medians, differences of
# two runs. SciPy knows no Newcombe interval and no Holm: those are written down again here, from their definitions.
. tests/cli/lingerbench.common

if ! /usr/bin/python3 -c 'import scipy' 2>/dev/null; then
    [ -z "${CI-}" ] || fail "no python3-scipy, and this is CI: packaging/packages-test has it"
    echo "SKIP: no python3-scipy"
    exit 77
fi
"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O2 -shared -fPIC -Iuser -o "$work/lab.so" \
    user/lingerbench/sample.c user/lingerbench/difference.c -lm >"$work/out" 2>&1 || fail "cc"
/usr/bin/python3 tests/support/statistics_referee.py "$work/lab.so" >"$work/out" 2>&1 || fail "the referee"
exit 0
