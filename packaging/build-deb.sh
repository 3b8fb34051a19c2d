#!/bin/sh
# SPDX-License-Identifier: MIT
# build-deb.sh: the Debian packages of this tree, into build/deb/. Needs no root and no git; what packages-build and
# packages-deb name has to be installed.
# dpkg wants debian/ at a tree's root, where this one does not have it: they are built in a copy, which is gone at
# the end. If the build fails it stays, with build/deb/log. V=1 shows the build.
set -eu
cd "$(dirname "$0")/.."
out=build/deb

die() {
    echo "lingerd: $1" >&2
    exit 1
}

version=$(sed -n 's/^VERSION *:= *//p' user/user.mk)
changelog=$(sed -n '1s/^lingerd (\(.*\)) .*/\1/p' packaging/debian/changelog)
[ "$changelog" = "$version" ] ||
    die "packaging/debian/changelog begins with $changelog, and user/user.mk says $version"
command -v dpkg-buildpackage >/dev/null || die "no dpkg-buildpackage here; on Debian, packaging/install-packages.sh build deb"

copy=$out/lingerd-$version
rm -rf "$out"
mkdir -p "$copy"
# Of results/ only what is no run's.
tar -c --exclude=./build --exclude=./.git --exclude='./results/*/*' . | tar -x -C "$copy"
cp -R packaging/debian "$copy/debian"

# Not what somebody has said to our own make.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CI
build() {
    (cd "$copy" && dpkg-buildpackage --build=binary --no-sign)
}
if [ -n "${V-}" ]; then
    build
else
    echo "lingerd: building the packages (a minute or two)"
    build >"$out/log" 2>&1 || {
        tail -n 20 "$out/log" >&2
        die "the packages do not build (above, $out/log)"
    }
fi
rm -rf "$copy"
ls "$out"/*.deb
