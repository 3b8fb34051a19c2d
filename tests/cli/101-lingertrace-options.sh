#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lingertrace refuses what it cannot mean, with one line that names it and exit status 2.
set -u
trace=$BUILD/lingertrace

refused() { # EXPECTED ARGUMENT...
    local expected=$1 output status
    shift
    output=$("$trace" "$@" 2>&1 >/dev/null)
    status=$?
    if [ "$status" != 2 ] || [[ $output != *"$expected"* ]] || [[ $output == *$'\n'* ]]; then
        echo "lingertrace $*: status $status, said: $output"
        exit 1
    fi
}

for port in 0 65536 -1 80x '' ' 80' 99999999999999999999; do
    refused "not a port" --port "$port"
done
for duration in 0 -1 abc '' nan 1e3; do
    refused "not a time" --duration "$duration"
done
refused "no arguments" stray
refused "unrecognized" --hooks
refused "requires an argument" --csv

[ "$("$trace" -V)" = "$("$trace" --version)" ] || exit 1
[[ $("$trace" -V) == "lingertrace "[0-9]* ]] || exit 1
for option in --csv --summary --port --duration --help --version; do
    "$trace" -h | grep -q -e "$option" || { echo "-h does not mention $option"; exit 1; }
done
