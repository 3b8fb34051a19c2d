#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Started by root without a service manager: it becomes its user, is in the background when it is ready and not before,
# has its PID in a file and its lines in the system's log; the init script starts, reloads, replaces and ends it. A log
# that nobody reads does not hold it. In a /run, a /dev and a network of its own.
if [ -z "${IN_NAMESPACES-}" ]; then
    [ "$(id -u)" = 0 ] || { echo "SKIP: needs root" && exit 77; }
    IN_NAMESPACES=yes exec unshare --mount --pid --fork --kill-child --mount-proc --net "$0"
fi
# shellcheck source=tests/cli/servers.common
. "${0%/*}/servers.common"
ip link set lo up
mount -t tmpfs none /run
mkdir /run/dev
for device in null urandom tty; do
    touch "/run/dev/$device"
    mount --bind "/dev/$device" "/run/dev/$device"
done
mount --rbind /run/dev /dev
lingerd=$build/lingerd
socket=/run/lingerd/lingerd.sock
pid_file=/run/lingerd/lingerd.pid
as_server="setpriv --reuid=33 --regid=33 --clear-groups"

running() { # of the PID file
    [ -s "$pid_file" ] && [ "$(readlink "/proc/$(cat "$pid_file")/exe")" = "$lingerd" ]
}

end() {
    local pid
    pid=$(cat "$pid_file")
    kill "$pid"
    wait_for test ! -e "/proc/$pid"
}

ask() { # COMMAND: of lingerctl, answered at all
    timeout 10 "$build/lingerctl" "$@" >"$work/answer" 2>&1 || fail "lingerctl $*: $(cat "$work/answer")"
}

# -- It is another user's, for good, and has only that group and the socket's --
(umask 077 && "$lingerd" --background --user nobody --socket-group 33 --pid-file "$pid_file") 2>"$work/start.err" || fail "does not start"
running || fail "no PID in the file"
pid=$(cat "$pid_file")
status=/proc/$pid/status
[ "$(awk '$1 == "Uid:" { print $2, $3, $4, $5 }' "$status")" = "65534 65534 65534 65534" ] || fail "$(grep Uid "$status")"
[ "$(awk '$1 == "Gid:" { print $2, $3, $4, $5 }' "$status")" = "65534 65534 65534 65534" ] || fail "$(grep Gid "$status")"
[ "$(awk '$1 == "Groups:" { $1 = ""; print }' "$status")" = " 33 65534" ] || fail "$(grep Groups "$status")"
[ "$(awk '/^Cap(Inh|Prm|Eff|Amb)/ { print $2 }' "$status" | sort -u)" = 0000000000000000 ] || fail "$(grep Cap "$status")"
[ "$(stat -c '%U:%G %a' $socket)" = "nobody:www-data 660" ] || fail "socket: $(stat -c '%U:%G %a' $socket)"
[ "$(stat -c '%U %a' /run/lingerd)" = "nobody 755" ] || fail "folder: $(stat -c '%U %a' /run/lingerd)"
[ "$(stat -c '%U %a' $pid_file)" = "nobody 644" ] || fail "PID file: $(stat -c '%U %a' $pid_file)"
[ "$(readlink "/proc/$pid/cwd")" = / ] || fail "it stays in $(readlink "/proc/$pid/cwd")"
for fd in "/proc/$pid/fd"/*; do
    [[ $(readlink "$fd") != "$work"* ]] || fail "it holds $(readlink "$fd") open"
done
[ "$(awk '{ print $6 }' "/proc/$pid/stat")" = "$pid" ] || fail "no session of its own"
$as_server /usr/bin/python3 "$support/hand_over.py" $socket 20 </dev/null >"$work/handed" || fail "the socket's group cannot hand over"
grep -q '^20 ' "$work/handed" || fail "$(cat "$work/handed")"
setpriv --reuid=1 --regid=1 --clear-groups /usr/bin/python3 "$support/hand_over.py" $socket 1 </dev/null 2>"$work/other" && fail "another group can"
grep -q PermissionError "$work/other" || fail "$(cat "$work/other")"
ask reload

# A second one says so by its exit status, and leaves the file of the first alone.
"$lingerd" --background --user nobody --pid-file "$pid_file" 2>"$work/second"
[ $? = 1 ] || fail "a second one does not exit with 1"
grep -q '^lingerd: another process listens' "$work/second" || fail "$(cat "$work/second")"
[ "$(cat "$pid_file")" = "$pid" ] || fail "the second one has written its PID"

# Who takes over has the file, too; who ends takes all of it away.
"$lingerd" --background --take-over --user nobody --pid-file "$pid_file" 2>>"$work/start.err" || fail "no takeover"
wait_for test ! -e "/proc/$pid"
runs_anew() { # not as $pid
    running && [ "$(cat "$pid_file")" != "$pid" ]
}
runs_anew || fail "the PID file is not the new one's"

# Who fails to take over leaves the file to the one that goes on: here, at the last step but one.
pid=$(cat "$pid_file")
/usr/bin/python3 - "$lingerd" --background --take-over --user nobody --pid-file "$pid_file" 2>"$work/failed" <<'EOF' && fail "it takes over without a sandbox"
import errno, os, seccomp, sys
rules = seccomp.SyscallFilter(seccomp.ALLOW)
rules.add_rule(seccomp.ERRNO(errno.EIO), "capget")
rules.load()
os.execv(sys.argv[1], sys.argv[1:])
EOF
grep -q '^lingerd: sandbox: cannot drop capabilities' "$work/failed" || fail "$(cat "$work/failed")"
ask status
running || fail "a failed takeover costs the PID file"
[ "$(cat "$pid_file")" = "$pid" ] || fail "a failed takeover has changed the PID file"
[ "$(ls /run/lingerd)" = "$(printf 'lingerd.pid\nlingerd.sock\nlingerd.sock.lock')" ] || fail "left behind: $(ls /run/lingerd)"
end
[ -z "$(ls -A /run/lingerd)" ] || fail "left behind: $(ls -A /run/lingerd)"

# -- Root that starts it for another user raises the limit of open files; a user for itself does not --
files() { # of the PID file's
    awk '/^Max open files/ { print $4, $5 }' "/proc/$(cat "$pid_file")/limits"
}
prlimit --nofile=200:300 "$lingerd" --background --user nobody --pid-file "$pid_file" --max-connections 500 2>>"$work/start.err" ||
    fail "does not start with few files"
raised='^46[0-9][0-9] 46[0-9][0-9]$'
prlimit --nofile=200:300 sh -c 'ulimit -n 5000' 2>"$work/ulimit.err" || raised='^300 300$' # not even this root may
[[ $(files) =~ $raised ]] || fail "its limits of open files: $(files)"
end
rmdir /run/lingerd
prlimit --nofile=200:300 "$lingerd" --background --pid-file "$pid_file" --max-connections 500 2>>"$work/start.err" ||
    fail "does not start with few files"
[ "$(files)" = "300 300" ] || fail "its limits of open files, as given: $(files)"
end

# -- The folder that root has left is the user's then, but for one that root has made so on purpose --
folder() {
    stat -c '%U:%G %a' /run/lingerd
}
[ "$(folder)" = "root:root 755" ] || fail "the folder of root: $(folder)"
"$lingerd" --background --user nobody --pid-file "$pid_file" 2>>"$work/start.err" || fail "does not start where root was"
[ "$(folder)" = "nobody:nogroup 755" ] || fail "the folder that root has left: $(folder)"
end
chown root:nogroup /run/lingerd && chmod 775 /run/lingerd
"$lingerd" --background --user nobody --pid-file "$pid_file" 2>>"$work/start.err" || fail "does not start in a folder of its group"
[ "$(folder)" = "root:nogroup 775" ] || fail "a folder that was made on purpose: $(folder)"
end
chown root:root /run/lingerd && chmod 755 /run/lingerd && touch /run/lingerd/mine
"$lingerd" --background --user nobody --pid-file "$pid_file" 2>"$work/refused" && fail "starts where it may not write"
grep -q 'make it that user' "$work/refused" || fail "$(cat "$work/refused")"
rm -r /run/lingerd

# -- What was passed to another process is not kept open --
LISTEN_PID=1 LISTEN_FDS=1 "$lingerd" --background --user nobody --pid-file "$pid_file" 3<"$0" 2>>"$work/start.err" || fail "does not start with a stale LISTEN_FDS"
for fd in "/proc/$(cat "$pid_file")/fd"/*; do
    [ "$(readlink "$fd")" != "$(readlink -f "$0")" ] || fail "it holds a descriptor that was meant for another open"
done
end

# -- What cannot be is said in one line --
printf '#!/bin/sh\nLISTEN_PID=$$ LISTEN_FDS=1 exec "%s" "$@"\n' "$lingerd" >"$work/passed"
chmod +x "$work/passed"
refused() { # TEXT OPTION...
    local text=$1
    shift
    timeout 10 "$lingerd" "$@" 2>"$work/refused" && fail "$* is taken"
    [ "$(wc -l <"$work/refused")" = 1 ] || fail "$*: $(cat "$work/refused")"
    grep -qF "$text" "$work/refused" || fail "$*: $(cat "$work/refused")"
}
refused "there is no user 'nobody-at-all'" --user nobody-at-all
refused "there is no group 'no-group-at-all'" --socket-group no-group-at-all
refused "neither none nor a path from / on" --pid-file lingerd.pid
refused "cannot write /proc/lingerd.pid" --pid-file /proc/lingerd.pid --user nobody
refused "does not begin with /" --background --socket here.sock
lingerd=$work/passed refused "leave --background out" --background
refused "'file' is neither stderr nor syslog" --log file
[ -z "$(ls -A /run/lingerd)" ] || fail "left behind by a failed start: $(ls -A /run/lingerd)"
$as_server "$lingerd" --user nobody --socket "$work/s" 2>"$work/refused" && fail "www-data becomes nobody"
grep -q 'only root can become another user' "$work/refused" || fail "$(cat "$work/refused")"

# -- The system's log: none yet, there, hanging, restarted --
cat >"$work/rsyslog.conf" <<C
module(load="imuxsock" SysSock.Name="/dev/log" SysSock.RateLimit.Interval="0")
template(name="plain" type="string" string="%syslogfacility-text%.%syslogseverity-text% %syslogtag%%msg%\n")
action(type="omfile" file="$work/syslog" template="plain")
C
start_syslog() {
    rsyslogd -n -f "$work/rsyslog.conf" -i "$work/rsyslog.pid" 2>"$work/rsyslog.err" &
    syslog=$!
    wait_for test -S /dev/log
}
logged() { # PATTERN
    grep -qE "$1" "$work/syslog"
}
"$lingerd" --background --user nobody --pid-file "$pid_file" --log syslog 2>"$work/early.err" || fail "does not start without a log"
grep -q 'log: /dev/log: .*; lines are lost until somebody takes them there' "$work/early.err" || fail "$(cat "$work/early.err")"
start_syslog
ask reload
wait_for logged "^daemon.info lingerd\[$(cat "$pid_file")\]: settings read again"
logged '^daemon.warning lingerd.* lines before this one are lost' || fail "nothing is said of what was lost before: $(cat "$work/syslog")"
kill -STOP "$syslog"
for _ in $(seq 60); do
    ask reload # each is a line
done
kill -CONT "$syslog"
sleep 0.2
ask reload
wait_for logged '[2-9][0-9]+ lines before this one are lost'
stop "$syslog"
rm -f /dev/log
start_syslog
ask drain
wait_for logged '^daemon.info lingerd.*: ended: '
[ -e "$pid_file" ] && fail "the PID file is left"

# -- A stderr that nobody reads --
python3 - "$lingerd" "$build/lingerctl" "$work/pipe.sock" <<'EOF' || fail "a full pipe"
import fcntl, os, subprocess, sys
lingerd, lingerctl, path = sys.argv[1:]
reader, writer = os.pipe()
fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
daemon = subprocess.Popen([lingerd, "--socket", path], stderr=writer)
os.close(writer)
first = os.read(reader, 1000)
assert first.startswith(b"lingerd: version"), first
reload = [lingerctl, "reload", "--socket", path]
for _ in range(200):
    subprocess.run(reload, timeout=10, check=True, stderr=subprocess.DEVNULL)
text = os.read(reader, 65536)
assert 1 <= text.count(b"settings read again") < 200, text
subprocess.run(reload, timeout=10, check=True, stderr=subprocess.DEVNULL)
told = os.read(reader, 65536).decode().splitlines()
lost = 200 - text.count(b"\n")
assert told[0] == f"lingerd: warning: {lost} lines before this one are lost: nobody took them", told
daemon.terminate()
assert daemon.wait(20) == 0
EOF

# -- A terminal that is not read: it has room for a part of a line --
mkdir /dev/pts
mount -t devpts -o newinstance,ptmxmode=666 none /dev/pts
ln -s pts/ptmx /dev/ptmx
python3 - "$lingerd" "$build/lingerctl" "$work/tty.sock" <<'EOF' || fail "a full terminal"
import os, subprocess, sys
lingerd, lingerctl, path = sys.argv[1:]
master, terminal = os.openpty()
daemon = subprocess.Popen([lingerd, "--socket", path], stderr=terminal)
assert os.read(master, 1000).startswith(b"lingerd: version")
reload = [lingerctl, "reload", "--socket", path]
try:
    for count in range(400):
        subprocess.run(reload, timeout=10, check=True, stderr=subprocess.DEVNULL)
    assert os.get_blocking(terminal)
    text = b""
    os.set_blocking(master, False)
    try:
        while True:
            text += os.read(master, 65536)
    except BlockingIOError:
        pass
    assert 1 <= text.count(b"settings read again") < 400, text
    subprocess.run(reload, timeout=10, check=True, stderr=subprocess.DEVNULL)
    os.set_blocking(master, True)
    text = b""
    while not text.endswith(b"\n") or b"read again" not in text:
        text += os.read(master, 65536)
    assert b"lines before this one are lost" in text, text
    daemon.terminate()
    assert daemon.wait(20) == 0
finally:
    daemon.kill()
EOF

# -- The init script --
sed -e "s|@SBINDIR@|$build|" -e "s|@SYSCONFDIR@|$work|" -e 's|^user=.*|user=nobody|' packaging/sysvinit/lingerd.in >"$work/init"
chmod +x "$work/init"
mkdir "$work/lingerd"
printf '[lingerd]\nidle-timeout = 60\n' >"$work/lingerd/lingerd.conf"
script() { # VERB STATUS
    timeout 60 "$work/init" "$1" 9>&- >"$work/script" 2>&1
    local status=$?
    [ "$status" = "$2" ] || fail "the init script's $1 exits with $status: $(cat "$work/script")"
}
script status 3
script try-restart 0
script status 3
script start 0
script status 0
script start 0
pid=$(cat "$pid_file")
mkfifo "$work/held"
python3 "$support/hand_over.py" $socket 10 never <"$work/held" >"$work/handed" &
load=$!
exec 9>"$work/held"
# shellcheck disable=SC2317 # wait_for calls it
lingers() {
    [ "$("$build/lingerctl" status | awk '$1 == "lingers" { print $2 }')" = 10 ]
}
wait_for lingers
script restart 0
runs_anew || fail "it is not replaced"
exec 9>&-
wait "$load" || fail "hand_over.py"
grep -q '^10 ' "$work/handed" || fail "a restart costs handoffs: $(cat "$work/handed")"
printf '[lingerd]\nidle-timeout = 7\n' >"$work/lingerd/lingerd.conf"
script reload 0
wait_for logged 'settings read again: idle timeout 7 s'
wait_for logged 'goes on with 10 connections of the process before'
echo 'idle-timeout = never' >>"$work/lingerd/lingerd.conf"
script reload 1
grep -q "lingerd.conf:3: " "$work/script" || fail "$(cat "$work/script")"
script stop 0
script stop 0
script status 3
script nonsense 2
stop "$syslog"
exit 0
