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
    refused "not a time" --top="$duration"
done
for pid in 0 -1 abc '' 4294967296; do
    refused "not a process id" --pid "$pid"
done
refused "no such process" --pid 2147483647
refused "neither ipv4 nor ipv6" --family ipx
refused "not auto, tracepoint or fentry" --hooks kprobe
refused "1 to 15 bytes" --comm ''
refused "1 to 15 bytes" --comm 1234567890123456
refused "No such file" --netns /nonexistent
refused "--netns nosuch: no network namespace" --netns nosuch
refused "no network namespace" --netns /proc/self/ns/pid
refused "no network namespace" --netns /dev/null
refused "No such file" --cgroup /nonexistent
refused "no folder of a cgroup2" --cgroup /tmp
for count in 0 -1 x '' 16777217; do
    refused "not a number from 1" --max-connections "$count"
done
for where in '' 9100 localhost:9100 127.0.0.1 127.0.0.1:65536 ::1:9100; do
    refused "not " --metrics "$where"
done
refused "add --metrics-remote" --metrics 0.0.0.0:9100
refused "add --metrics-remote" --metrics '[::]:9100'
refused "have stdout" --csv - --json -
refused "have stdout" --top --json -
refused "leave out one" --all-close-calls --no-close-calls
refused "no arguments" stray
refused "no arguments" --top stray
refused "there is no option '--sumary'; --help lists the options" --sumary
refused "is one file" --csv /tmp/rows --json /tmp/rows
refused "is one file" --csv /tmp/none-yet --json /tmp/../tmp/none-yet
refused "option '--csv' needs a value; --help lists the options" --csv

# A thread is no process, and the message names the one that it belongs to.
python3 - "$trace" <<'EOF' || exit 1
import subprocess
import sys
import threading

done = threading.Event()
thread = threading.Thread(target=done.wait)
thread.start()
ran = subprocess.run([sys.argv[1], "--pid", str(thread.native_id)], capture_output=True, text=True)
done.set()
assert ran.returncode == 2 and "a thread of process" in ran.stderr, ran
EOF

[ "$("$trace" -V)" = "$("$trace" --version)" ] || exit 1
[[ $("$trace" -V) == "lingertrace "[0-9]* ]] || exit 1
for option in --csv --json --summary --top --metrics --port --family --netns --cgroup --pid --comm --new-only \
    --max-connections --duration --hooks --time-wait --no-close-calls --all-close-calls --no-mini-sockets \
    --help --version; do
    "$trace" -h | grep -q -e "$option" || { echo "-h does not mention $option"; exit 1; }
done
if "$trace" -h | grep -E '.{81}'; then
    echo "-h is wider than 80 columns"
    exit 1
fi
