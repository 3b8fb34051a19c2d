#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# inside.sh TREE SCRATCH DEBS CGROUP: the life of the packages in a fresh Debian tree. Called by run, in namespaces of its
# own. CGROUP is empty where there is none.
# shellcheck disable=SC2016,SC2317 # the tree's shell expands what is quoted; check calls the functions
set -u
tree=$1 scratch=$2 debs=$3 cgroup=$4
passed=0 failed=0
lingerd=

ours="lingerd lingerd-drain liblinger1 liblinger-dev libapache2-mod-lingerd lingertrace lingerbench"
triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH)

enter=(chroot "$tree" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
    DEBIAN_FRONTEND=noninteractive)
in_tree() {
    "${enter[@]}" "$@" </dev/null
}

# With all the groups of the user, and nothing of root's.
as_lingerd=(setpriv --reuid lingerd --regid lingerd --init-groups --inh-caps=-all --no-new-privs)
as_www_data=(setpriv --reuid www-data --regid www-data --init-groups --inh-caps=-all --no-new-privs)

exec 3>&1 # for figures: what a check prints is only shown when it fails

check() { # WHAT COMMAND...
    local what=$1 started=$SECONDS result=passed
    shift
    if "$@" >"$scratch/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1)) result=FAILED
    fi
    printf '%-70s %s  %3ds\n' "$what" "$result" $((SECONDS - started))
    [ $result = passed ] || tail -n 25 "$scratch/log" | sed 's/^/    | /'
    [ $result = passed ]
}

need() { # as check; without it there is nothing more to see
    check "$@" || finish
}

finish() {
    cp -u "$tree"/var/cache/apt/archives/*.deb "$debs/../debian/archives/" 2>/dev/null
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
}

no_errors_of_lintian() {
    lintian --fail-on error --tag-display-limit 0 "$debs"/*.changes >"$scratch/lintian" 2>/dev/null
    local status=$?
    cat "$scratch/lintian"
    return "$status"
}

# All that the packages take from Debian, without them; and what is used to try them.
install_dependencies() {
    in_tree apt-get update -q || return
    in_tree sh -c 'apt-get install -s --no-install-recommends /root/now/*.deb apache2 gcc libc6-dev pkg-config systemd-sysv' >"$scratch/plan" || return
    sed -n 's/^Inst \([^ ]*\).*/\1/p' "$scratch/plan" | grep -vxF "$(tr ' ' '\n' <<<"$ours")" >"$scratch/wanted"
    # shellcheck disable=SC2046 # one word per package
    in_tree apt-get install -y -q --no-install-recommends $(cat "$scratch/wanted")
}

# But for logs, what dpkg and apt keep for themselves, and what Apache's tools and systemd do.
files_of_tree() {
    (cd "$tree" && find . -xdev \( -path ./proc -o -path ./var/log -o -path ./var/cache -o -path ./var/lib/dpkg -o -path ./var/lib/apt \
        -o -path './run/apache2' -o -path ./run/lock/apache2 -o -path ./run/systemd \
        -o -path './var/lib/apache2/module/disabled_by_*' -empty \) -prune -o -print) | sort
}

install() { # FOLDER
    in_tree sh -c "apt-get install -y -q --no-install-recommends /root/$1/*.deb"
}

are_of_version() { # VERSION
    local package
    for package in $ours; do
        [ "$(in_tree dpkg-query -W -f '${db:Status-Status} ${Version}' "$package")" = "installed $1" ] || return
    done
    # It tells what is not as it was packed, and ends with 0. Settings may have been changed.
    # shellcheck disable=SC2086 # one word per package
    in_tree dpkg --verify $ours | grep -v ' c /' && return 1
    return 0
}

files_are_there() {
    local file
    for file in usr/sbin/{lingerd,lingerd-drain,lingerctl,lingertrace} usr/bin/lingerbench usr/lib/"$triplet"/liblinger{.so.1,-preload.so,.a,.so} \
        usr/include/linger.h usr/lib/apache2/modules/mod_lingerd.so etc/apache2/mods-enabled/lingerd.{load,conf} \
        etc/lingerd/lingerd.conf run/lingerd lib/systemd/system/{lingerd.socket,lingerd.service,lingerd-drain.service,lingertrace.service} \
        usr/share/lingerd/{prometheus/lingerd.rules.yml,prometheus/lingertrace.rules.yml,grafana/lingerd.json,scenarios/quick.ini} \
        usr/share/man/man{1/lingerbench.1,3/linger_handoff.3,3/linger_client_open.3,5/lingerd.conf.5}.gz \
        usr/share/man/man{7/lingerd-protocol.7,8/lingerd.8,8/lingerd-drain.8,8/lingerctl.8,8/lingertrace.8}.gz \
        usr/share/bash-completion/completions/lingerd usr/share/zsh/vendor-completions/_lingerd; do
        [ -e "$tree/$file" ] || { echo "no /$file" && return 1; }
    done
    find "$tree/usr/local" ! -type d ! -type l | grep . && return 1
    [ "$(in_tree stat -c '%U %G %a' /run/lingerd)" = "lingerd lingerd 755" ]
}

# Pages and files that our pages name.
pages_are_right() {
    local page name
    for page in $(cd "$tree" && find usr/share/man -name 'linger*.gz'); do
        zcat "$tree/$page" | awk '$1 == ".Xr" && $2 ~ /^linger/ { print "usr/share/man/man" $3 "/" $2 "." $3 ".gz" }
            ($1 == ".Pa" || $1 == ".It" && $2 == "Pa") && match($0, /\/(usr|etc)\/[^ ]*/) { print substr($0, RSTART + 1, RLENGTH - 1) }'
    done | sort -u >"$scratch/named"
    [ -s "$scratch/named" ] || return
    while read -r name; do
        [ -e "$tree/$name" ] || { echo "no /$name" && return 1; }
    done <"$scratch/named"
}

programs_run() {
    in_tree lingerd --version && in_tree lingerctl --version && in_tree "${as_lingerd[@]}" lingerd -t --config /etc/lingerd/lingerd.conf &&
        in_tree lingertrace --help && in_tree lingerbench list | grep -q '^  quick '
}

units_are_enabled() {
    [ "$(in_tree systemctl is-enabled lingerd.socket lingerd.service)" = $'enabled\nenabled' ] || return
    [ "$(in_tree systemctl is-enabled lingertrace.service)" = disabled ] || return
    in_tree systemd-analyze verify --man=no lingerd.socket lingerd.service lingertrace.service 2>&1 | grep linger && return 1
    return 0
}

apache_has_the_module() {
    in_tree a2query -m lingerd && in_tree apache2ctl configtest && in_tree apache2ctl -M | grep lingerd_module
}

compile_try() {
    in_tree sh -c 'cc -Wall -Werror /root/try.c $(pkg-config --cflags --libs liblinger) -o /tmp/try' &&
        cp "$tree/tmp/try" "$tree/root/try" &&
        in_tree sh -c 'cc -Wall -Werror /root/load.c $(pkg-config --cflags --libs liblinger) -o /root/load' &&
        in_tree sh -c 'cc -Wall -Werror /root/try.c -static $(pkg-config --static --cflags --libs liblinger) -o /tmp/try-static'
}

start_lingerd() {
    in_tree usermod --append --groups lingerd www-data
    "${enter[@]}" "${as_lingerd[@]}" lingerd --config /etc/lingerd/lingerd.conf >"$scratch/lingerd.log" 2>&1 &
    lingerd=$!
    local tries
    for tries in {1..200}; do
        in_tree lingerctl status >/dev/null 2>&1 && return
        sleep 0.05
    done
    cat "$scratch/lingerd.log"
    echo "not there after $tries tries"
    return 1
}

counter() { # NAME
    in_tree lingerctl status | awk -v name="$1" '$1 == name { print $2 }'
}

# COMMAND...: hands a connection over, and it ends well
hands_over() {
    local handoffs fins tries
    handoffs=$(counter handoffs) fins=$(counter ended_fin)
    "$@" || return
    for tries in {1..200}; do
        [ "$(counter ended_fin)" = $((fins + 1)) ] && break
        sleep 0.05
    done
    [ "$(counter handoffs)" = $((handoffs + 1)) ] && [ "$(counter ended_fin)" = $((fins + 1)) ] && return
    in_tree lingerctl status
    echo "after $tries tries"
    return 1
}

# In a network of its own: nobody else's port 80. The client keeps its side open until it has read to the end.
apache_answers() {
    unshare --net bash -c "ip link set lo up && $(declare -p enter) && $(declare -f in_tree) && in_tree apache2ctl start &&"'
        for _ in {1..100}; do { exec 3<>/dev/tcp/127.0.0.1/80; } 2>/dev/null && break; sleep 0.05; done
        printf "GET / HTTP/1.0\r\n\r\n" >&3
        grep -q "Apache2 Debian Default Page" <&3
        status=$?
        exec 3<&-
        in_tree apache2ctl stop
        exit $status'
}

the_lab_runs() {
    in_tree lingerbench run quick --out /tmp/results --set load.connections=4 --set load.blocks=1 --set strategies.use=lingerd \
        --set peers.use=prompt && rm -r "$tree/tmp/results"
}

stop_lingerd() {
    kill -TERM "$lingerd" && wait "$lingerd" && [ ! -e "$tree/run/lingerd/lingerd.sock" ]
}

# As README.Debian has it where systemd does not run.
removal_ends_what_a_script_runs() {
    local pid status
    in_tree sh -c 'cp /usr/share/lingerd/sysvinit/lingerd /etc/init.d/ && service lingerd start' || return
    pid=$(cat "$tree/run/lingerd/lingerd.pid") || return
    mv "$tree/usr/sbin/policy-rc.d" "$scratch/policy-rc.d"
    in_tree dpkg --remove lingerd
    status=$?
    mv "$scratch/policy-rc.d" "$tree/usr/sbin/policy-rc.d"
    [ "$status" = 0 ] && [ ! -e "/proc/$pid" ] && in_tree service lingerd stop && rm "$tree/etc/init.d/lingerd" && install next
}

upgrade_keeps_settings() {
    echo '# mine' >>"$tree/etc/lingerd/lingerd.conf"
    install next && are_of_version "$version+test1" && [ "$(tail -n 1 "$tree/etc/lingerd/lingerd.conf")" = '# mine' ]
}

remove() {
    # shellcheck disable=SC2086 # one word per package
    in_tree apt-get remove -y -q $ours || return
    in_tree apache2ctl configtest || return
    find "$tree"/usr "$tree"/lib/systemd ! -type d -name '*linger*' | grep . && return 1
    [ "$(tail -n 1 "$tree/etc/lingerd/lingerd.conf")" = '# mine' ]
}

# Not by apt, which does not know the names of those that left no file to purge.
purge() {
    # shellcheck disable=SC2086 # one word per package
    in_tree dpkg --purge $ours
}

nothing_is_left() {
    files_of_tree | grep -vxE "./root/(try|load)" >"$scratch/after"
    diff "$scratch/before" "$scratch/after"
}

# shellcheck source=tests/deb/systemd.sh
. "${0%/*}/systemd.sh"

mount -t proc proc "$tree/proc"
version=$(basename "$tree"/root/now/lingerd_*.deb | cut -d _ -f 2)

check "lintian finds no error" no_errors_of_lintian
grep '^[WI]:' "$scratch/lintian" | sed 's/^/    /'
need "what they depend on comes from Debian" install_dependencies
files_of_tree | grep -vxE "./root/(try|load)" >"$scratch/before"
need "they install" install now
check "all are of this version, and whole" are_of_version "$version"
check "files are where they belong" files_are_there
check "pages and files that the manual names are there" pages_are_right
check "programs run" programs_run
check "lingerd's units are enabled, lingertrace's is not" units_are_enabled
check "Apache has the module, and nothing against it" apache_has_the_module
check "a program builds by pkg-config, shared and static" compile_try
check "lingerd starts as its user" start_lingerd
check "a program of www-data hands over" hands_over in_tree "${as_www_data[@]}" /tmp/try
check "a static one does" hands_over in_tree "${as_www_data[@]}" /tmp/try-static
check "one that knows nothing of it does, by the name in LD_PRELOAD" hands_over \
    in_tree "${as_www_data[@]}" env LD_PRELOAD=liblinger-preload.so LINGER_SOCKET=/run/lingerd/lingerd.sock /tmp/try plain
check "Apache does" hands_over apache_answers
check "the lab finds scenario and daemon" the_lab_runs
need "an upgrade goes through without a question, a changed file stays" upgrade_keeps_settings
check "the daemon ran on meanwhile, and takes handoffs" hands_over in_tree "${as_www_data[@]}" /tmp/try
check "it ends in order" stop_lingerd
rm -f "$tree"/tmp/try*
check "removed, it ends where an init script runs it" removal_ends_what_a_script_runs
check "they are removed, settings stay" remove
check "they are purged" purge
check "nothing of them is left" nothing_is_left
under_systemd
finish
