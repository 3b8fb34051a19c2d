# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# The machine of tests/vm/run: Debian's kernel, fetched once; what it boots; QEMU and its serial ports. Sourced in the
# project's folder, with $tree (that folder), $kernel and $limit set. Its files are this machine's, or a Debian's of its
# own with lingerd installed and systemd running: $debian and $installed say where these are. What it writes is gone at its
# end, but for a directory $keep.
# shellcheck disable=SC2034,SC2154 # who sources it has set tree, kernel and limit, and reads status
unpacked=$tree/build/vm/$kernel
console=$tree/build/vm/console.log
guest=
scratch=
terminal=
debian=
installed=
keep=

die() {
    echo "lingerd: $1" >&2
    exit 1
}

# shellcheck disable=SC2317 # the trap calls it
clean_up() {
    if [ -n "$guest" ]; then
        kill "$guest" 2>/dev/null || true
        wait "$guest" 2>/dev/null || true
    fi
    [ -z "$scratch" ] || rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Into $unpacked, nothing of it is installed: boot/ and lib/modules/ of the newest package.
fetch_kernel() {
    local package deb
    package=$(apt-cache search --names-only "^linux-image-${kernel//./\\.}\.[0-9][-0-9.+deb]*-amd64$" |
        sort -V | tail -n 1)
    package=${package%% *}
    [ -n "$package" ] || die "apt knows no linux-image-$kernel package; on Debian 12, \"apt-get update\" may help"
    echo "lingerd: downloading $package"
    # What apt says of its sandbox, as root, is of no use here.
    (cd "$scratch" && apt-get download -q "$package") >"$scratch/log" 2>&1 || {
        tail -n 5 "$scratch/log" >&2
        die "cannot download $package (above)"
    }
    deb=$(echo "$scratch"/*.deb)
    mkdir "$scratch/kernel"
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$scratch/kernel" ./boot ./lib/modules
    depmod -b "$scratch/kernel" "$(ls "$scratch/kernel/lib/modules")"
    rm -rf "$unpacked"
    mv "$scratch/kernel" "$unpacked"
}

# Sets $release, fetches what is missing.
set_up_machine() {
    local program
    [ "$(uname -m)" = x86_64 ] || die "the virtual machine is for amd64 only, and this is $(uname -m)"
    PATH=$PATH:/usr/sbin:/sbin
    for program in qemu-system-x86_64 busybox cpio depmod apt-get; do
        command -v "$program" >/dev/null ||
            die "no $program here; on Debian, packaging/install-packages.sh vm installs what is needed"
    done
    mkdir -p build/vm
    scratch=$(mktemp -d "$tree/build/vm/run.XXXXXX")
    [ -d "$unpacked" ] || fetch_kernel
    release=$(ls "$unpacked/lib/modules")
}

# The Debian that systemd runs in: packages are kept, lingerd is installed anew, as it will be for who packs it.
set_up_debian() {
    debian=$(tests/vm/debian tests/vm/systemd/packages)
    installed=$scratch/installed
    mkdir "$installed"
    make --no-print-directory DESTDIR="$installed" PREFIX=/usr install >"$scratch/log" 2>&1 || {
        tail -n 20 "$scratch/log" >&2
        die "make install failed (above)"
    }
    # Its folders are the guest's, whatever this user's umask is.
    chmod -R u=rwX,go=rX "$installed"
}

# The initramfs: what it takes to mount this machine's tree, and the job.
build_initramfs() {
    local root=$scratch/initramfs applet module
    rm -rf "$root"
    mkdir -p "$root/bin" "$root/modules"
    cp /bin/busybox "$root/bin/"
    for applet in sh mkdir mount insmod cp switch_root; do
        ln -s busybox "$root/bin/$applet"
    done
    cp tests/vm/init "$root/init"
    # In the order of their needs, with some twice; "builtin" is what this kernel has in itself.
    modprobe -d "$unpacked" -S "$release" --show-depends -a virtio_pci 9pnet_virtio 9p overlay |
        awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r module; do
        case $module in
        *.xz) xz -dc "$module" ;;
        *) cat "$module" ;;
        esac >"$root/modules/$(basename "$module" .xz)"
        basename "$module" .xz >>"$root/modules/order"
    done
    cp "$scratch/job" "$root/"
    printf '%s=%q\n' tree "$tree" kernel "$unpacked" terminal "$terminal" debian "$debian" installed "$installed" \
        keep "$keep" >"$root/settings"
    (cd "$root" && find . | cpio --quiet -o -H newc) >"$scratch/initrd"
}

# The job is a script of its own: quoting survives, whatever the arguments are.
write_job() { # DIRECTORY COMMAND...
    local variable
    {
        echo 'ulimit -Hn 1048576' # as systemd has it
        echo 'export TEST_SLOWNESS=10 JOBS=1' # its CPUs are slow, and tests of systemd's side share one systemd
        for variable in BUILD TEST_FILES TEST_TIMEOUT LINGERTRACE_DEBUG; do
            [ -z "${!variable-}" ] || printf 'export %s=%q\n' "$variable" "${!variable}"
        done
        printf 'cd %q\n' "$1"
        shift
        printf 'exec'
        printf ' %q' "$@"
        echo
    } >"$scratch/job"
}

# boot DIRECTORY COMMAND...: runs it there. Its exit status is in $status then, its output in $scratch/output, too.
boot() {
    write_job "$@"
    build_initramfs
    rm -f "$scratch/status"
    run_guest
    status=$(tr -d '\r\n' <"$scratch/status")
}

# Three serial ports: the kernel's messages, the job's output, its exit status.
run_guest() {
    local result=0 signals=on words="console=ttyS0 panic=-1 mitigations=off"
    local -a qemu
    [ -z "$terminal" ] || signals=off
    # There is no udev to tell systemd of the console; nobody logs in, and nothing comes to be due.
    [ -z "$debian" ] || words="$words systemd.unit=multi-user.target systemd.getty_auto=no
        systemd.mask=getty.target systemd.mask=timers.target"
    # No mitigations: in emulation they cost much, and there is nobody to keep apart.
    qemu=(timeout --foreground --kill-after=5 "$limit"
        qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot
        -accel tcg -cpu max -smp 2 -m 2G
        -kernel "$unpacked/boot/vmlinuz-$release" -initrd "$scratch/initrd"
        -append "${words//$'\n'/}"
        -fsdev "local,id=tree,path=/,security_model=none,readonly=on,multidevs=remap"
        -device "virtio-9p-pci,fsdev=tree,mount_tag=tree"
        -serial "file:$console"
        -chardev "stdio,id=job,signal=$signals,logfile=$scratch/output" -serial chardev:job
        -serial "file:$scratch/status")
    [ -z "$keep" ] || qemu+=(-fsdev "local,id=keep,path=$keep,security_model=none"
        -device "virtio-9p-pci,fsdev=keep,mount_tag=keep")
    if [ -n "$terminal" ]; then
        "${qemu[@]}" || result=$?
    else
        # In the background, since a trap waits for what is in the foreground.
        "${qemu[@]}" </dev/null &
        guest=$!
        wait "$guest" || result=$?
        guest=
    fi
    [ ! -s "$scratch/status" ] || return 0
    [ "$result" != 124 ] || die "the guest was not done after $limit s; see $console"
    ! grep -q 'Kernel panic' "$console" ||
        die "the guest's kernel panicked ($(sed -n 's/.*Kernel panic - //p' "$console" | tr -d '\r' | head -n 1)); see $console"
    die "QEMU ended before the guest was done (exit status $result); see $console"
}
