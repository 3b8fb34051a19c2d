#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A short soak; make soak is the long one.
set -u
make --no-print-directory BUILD="$BUILD" "$BUILD/soak" >/dev/null || exit 1
exec "$BUILD/soak" 32000
