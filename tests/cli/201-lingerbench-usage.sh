#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The command line of lingerbench: help, version, lists, and one line for each kind of misuse.
. tests/cli/lingerbench.common

bench --help
grep -q '^usage:' "$work/out" || fail "--help"
bench --version
grep -qE '^lingerbench [0-9]' "$work/out" || fail "--version"
bench list
[ "$status" = 0 ] || fail "list"
for name in quick lingering_close uploader; do
    grep -q "^  $name " "$work/out" || fail "list has no $name"
done

bench
expect 2 'no command'
bench walk
expect 2 'there is no command "walk"'
bench run
expect 2 'one scenario'
bench run quick quick
expect 2 'one scenario'
bench run quick --outt x
expect 2 "there is no option '--outt'; --help lists the options"
bench report
expect 2 'one folder'
bench report "$work"
expect 1 'expected the folder of a run'
exit 0
