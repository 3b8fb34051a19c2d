#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A short soak; make soak is the long one.
set -u
san=
[ "$BUILD" = build/sanitized ] && san=${SAN:-address,undefined}
make --no-print-directory SAN="$san" "$BUILD/soak" >/dev/null || exit 1
exec "$BUILD/soak" 32000
