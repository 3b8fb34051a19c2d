#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A few seconds of fuzzing, from the seeds in the tree; make fuzz does it for longer.
set -u
[ -z "$(find /usr/lib -name 'libclang_rt.fuzzer-*.a' -print -quit 2>/dev/null)" ] && {
    echo "SKIP: clang has no libFuzzer: apt-get install libclang-rt-14-dev"
    exit 77
}
make --no-print-directory fuzz-programs >/dev/null || exit 1
exec tests/fuzz/run 3
