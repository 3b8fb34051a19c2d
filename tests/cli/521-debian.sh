#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The Debian packages have every file that make install puts down, each of them once; they have the version of the tree,
# and ask for what it is built with. tests/deb/run tries the packages themselves.
set -u
status=0
work=$(mktemp -d)
trap 'status=$?; rm -rf "$work"; exit $status' EXIT
fail() {
    echo "$*"
    [ ! -s "$work/log" ] || cat "$work/log"
    exit 1
}
san=
[ "$BUILD" = build/sanitized ] && san=${SAN:-address,undefined}
debian=packaging/debian

version=$(sed -n 's/^VERSION *:= *//p' user/user.mk)
head -n 1 $debian/changelog | grep -qF "($version)" || fail "the changelog begins with another version than $version"

# What the build needs, but for what every Debian package is built with.
grep -vxE 'gcc|make' packaging/packages-build | while read -r package; do
    sed -n '/^Build-Depends:/,/^$/p' $debian/control | grep -qxF " $package," || echo "$package"
done >"$work/log"
[ ! -s "$work/log" ] || fail "Build-Depends is without these"

# The same variables as in debian/rules, with any name of an architecture.
# shellcheck disable=SC2016 # make's variable
mapfile -t settings < <(sed -n '/^INSTALLATION = /,/[^\\]$/p' $debian/rules |
    sed 's/^INSTALLATION = //; s/\\$//; s/\$(DEB_HOST_MULTIARCH)/triplet/' | tr -s ' \t' '\n' | grep '=')
make --no-print-directory SAN="$san" DESTDIR="$work/root" "${settings[@]}" install >"$work/log" 2>&1 || fail "install"

declare -A package_of
for list in "$debian"/*.install; do
    package=$(basename "$list" .install)
    grep -qx "Package: $package" $debian/control || fail "$list is of no package"
    while read -r pattern; do
        # shellcheck disable=SC2016 # debhelper's
        pattern=${pattern/'${DEB_HOST_MULTIARCH}'/triplet}
        # A folder means all that is in it, as dh_install takes it.
        # shellcheck disable=SC2086 # a pattern
        files=$(cd "$work/root" && find $pattern ! -type d 2>/dev/null)
        [ -n "$files" ] || fail "$list: nothing installed is $pattern"
        while read -r file; do
            [ -z "${package_of[$file]-}" ] || fail "$file is in ${package_of[$file]} and in $package"
            package_of[$file]=$package
        done <<<"$files"
    done < <(grep -v '^#' "$list")
done
(cd "$work/root" && find . ! -type d -printf '%P\n') | while read -r file; do
    [ -n "${package_of[$file]-}" ] || echo "$file"
done >"$work/log"
[ ! -s "$work/log" ] || fail "installed, and in no package"
[ "${#package_of[@]}" -gt 40 ] || fail "only ${#package_of[@]} files"
exit 0
