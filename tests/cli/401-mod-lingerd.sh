#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Debian's Apache with mod_lingerd and our daemon: workers are free while clients linger, nothing is lost,
# with the daemon, without it, and with it again; and configtest names what is wrong.
# shellcheck source=tests/cli/servers.common
. tests/cli/servers.common
export PATH=$PATH:/usr/sbin
modules=/usr/lib/apache2/modules
port=$(free_port)
tls_port=$(free_port)
workers=4

write_config() { # MPM
    cat >"$work/apache.conf" <<CONF
ServerRoot $work
ServerName localhost
PidFile $work/apache.pid
Mutex sem
Listen 127.0.0.1:$port
Listen 127.0.0.1:$tls_port
User nobody
Group nogroup
LoadModule mpm_$1_module $modules/mod_mpm_$1.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule ssl_module $modules/mod_ssl.so
LoadModule lingerd_module $build/mod_lingerd.so
<IfModule mpm_prefork_module>
    StartServers $workers
    MinSpareServers $workers
    MaxSpareServers $workers
</IfModule>
<IfModule !mpm_prefork_module>
    StartServers 1
    ThreadsPerChild $workers
    MinSpareThreads 1
    MaxSpareThreads $workers
</IfModule>
MaxRequestWorkers $workers
DocumentRoot $work/pages
ErrorLog $work/error.log
LogLevel warn
LogFormat "%s %O %X"
TransferLog $work/access.log
LingerdSocket $work/lingerd.sock
Lingerd On
<Location /refused>
    LimitRequestBody 1000
    ErrorDocument 413 /large
</Location>
<VirtualHost 127.0.0.1:$tls_port>
    SSLEngine on
    SSLCertificateFile $work/cert.pem
    SSLCertificateKeyFile $work/key.pem
</VirtualHost>
CONF
}

start_apache() { # MPM
    write_config "$1"
    : >"$work/error.log"
    : >"$work/access.log"
    # In a session of its own: it signals its whole process group when it ends.
    setsid apache2 -DFOREGROUND -f "$work/apache.conf" 2>>"$work/apache.err" &
    server_pid=$!
    wait_for test -s "$work/apache.pid"
}

stop_apache() {
    stop "$server_pid"
    server_pid=
}

expect_whole() { # COUNT
    [ "$complete" = "$1" ] || fail "$complete of $1 responses arrived whole"
}

said() { # COUNT TEXT: in the error log
    [ "$(grep -cF -- "$2" "$work/error.log")" = "$1" ]
}

mkdir "$work/pages"
echo small >"$work/pages/small"
head -c 1000000 /dev/zero >"$work/pages/large"
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 \
    -keyout "$work/key.pem" -out "$work/cert.pem" 2>"$work/openssl.out" || fail "openssl"

start_lingerd
start_apache prefork

# Native lingering would hold 4 workers for 300 ms each: 40 responses take 3 s.
peers late "$port" /small 40
expect_whole 40
[ "$ms" -lt 1500 ] || fail "40 responses took $ms ms: the workers are held"
wait_for counts handoffs 40

peers uploader "$port" /refused 20
expect_whole 20
wait_for counts handoffs 60
[ "$(grep -c '^413 1000' "$work/access.log")" = 20 ] || fail "the access log has not 20 refusals with 1 MB"

peers keepalive "$port" /small 5
expect_whole 5
wait_for counts handoffs 65
[ "$(wc -l <"$work/access.log")" = 75 ] || fail "$(wc -l <"$work/access.log") lines in the access log, not 75"

peers tls "$tls_port" /small 8
expect_whole 8
wait_for counts handoffs 73
wait_for counts ended_fin 73
said 0 "[lingerd:" || fail "the module complains, with the daemon there"

kill -KILL "$lingerd_pid"
wait "$lingerd_pid" 2>/dev/null
peers uploader "$port" /refused 20
expect_whole 20
peers late "$port" /small 8
expect_whole 8
said 1 "lingering natively" || fail "not one line about the lost daemon"

start_lingerd
peers late "$port" /small 8
expect_whole 8
wait_for counts handoffs 8
said 1 "is back" || fail "not one line about the daemon's return"

# A graceful restart loads the module anew, into new children.
kill -USR1 "$server_pid"
wait_for grep -q "Graceful restart requested" "$work/error.log"
peers uploader "$port" /refused 8
expect_whole 8
wait_for counts handoffs 16
stop_apache

for mpm in worker event; do
    start_apache "$mpm"
    before=$(counter handoffs)
    peers uploader "$port" /refused 8
    expect_whole 8
    peers late "$port" /small 8
    expect_whole 8
    wait_for counts handoffs $((before + 16))
    stop_apache
done

configtest() { # DIRECTIVE TEXT: what configtest says of a wrong directive
    write_config prefork
    echo "$1" >>"$work/apache.conf"
    apache2 -t -f "$work/apache.conf" >"$work/configtest.out" 2>&1 && fail "configtest takes: $1"
    grep -qF -- "$2" "$work/configtest.out" || fail "configtest does not say: $2"
}
configtest "LingerdSocket run/lingerd.sock" "'run/lingerd.sock' is no absolute path"
configtest "LingerdSocket /$(printf '%0107d' 0)" "the path has 108 bytes, a socket path 107 at most"
configtest "Lingerd Perhaps" "Lingerd must be On or Off"
configtest "<Location /a>
Lingerd On
</Location>" "Lingerd not allowed"
exit 0
