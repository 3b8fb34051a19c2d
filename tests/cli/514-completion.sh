#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What --help of each program knows, the completions of bash and zsh and the man pages know, too, and no more. Typed into
# real shells, lines are completed.
set -u
status=0
work=$(mktemp -d)
trap 'status=$?; rm -rf "$work"; exit $status' EXIT
fail() {
    echo "$*"
    exit 1
}

offered() { # WORD...: what bash's completion offers for the last word, one a line
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    local function
    function=$(complete -p "${1##*/}" | sed -n 's/.* -F \([^ ]*\) .*/\1/p')
    "$function" "${1##*/}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" || return 1
    [ "${#COMPREPLY[@]}" = 0 ] || printf '%s\n' "${COMPREPLY[@]}" | sort -u
}

for program in lingerd lingerd-drain lingerctl lingertrace lingerbench; do
    # shellcheck source=/dev/null
    . "packaging/completion/bash/$program" || fail "$program: bash does not take it"
    "$BUILD/$program" --help | grep -oE -- '(^|[ ,[])-(-[a-z][a-z-]+|[a-zA-Z])\b' | grep -oE -- '-.*' | sort -u >"$work/help"
    [ "$(wc -l <"$work/help")" -ge 7 ] || fail "$program: --help has few options"

    { offered "$program" - && { [ "$program" != lingerbench ] || { offered lingerbench run - && offered lingerbench compare -; }; }; } | sort -u >"$work/bash"
    diff "$work/help" "$work/bash" || fail "$program: options in --help (<) and in bash's completion (>)"

    grep -v '^#' "packaging/completion/zsh/_$program" | grep -oE -- "['{,(*]-(-[a-z][a-z-]+|[a-zA-Z])\b" | cut -c 2- | sort -u >"$work/zsh"
    diff "$work/help" "$work/zsh" || fail "$program: options in --help (<) and in zsh's completion (>)"
    [ "$(head -n 1 "packaging/completion/zsh/_$program")" = "#compdef $program" ] || fail "$program: zsh does not find it"

    sed 's/ | -/ | Fl -/g' "docs/man/$program".[0-9] | grep -oE -- 'Fl -?[a-zA-Z-]+' | sed -E 's/^Fl /-/' | sort -u >"$work/man"
    comm -23 "$work/help" "$work/man" >"$work/missing"
    [ -s "$work/missing" ] && fail "$program: not in the man page: $(cat "$work/missing")"
done

commands=$("$BUILD/lingerctl" --help | sed -n 's/^  \([a-z-]*\)  *[a-z].*/\1/p' | sort)
[ "$(offered lingerctl '')" = "$commands" ] || fail "commands of lingerctl: $(offered lingerctl '')"
[ "$(offered lingerctl to)" = top ] || fail "lingerctl to: $(offered lingerctl to)"
[ "$(offered lingerd --when-full = sh)" = shed-oldest ] || fail "lingerd --when-full=sh"
[ "$(offered lingerd --allow-users roo)" = root ] || fail "lingerd --allow-users roo"
[ -z "$(offered lingerd --idle-timeout '')" ] || fail "lingerd --idle-timeout offers what is no time"
touch "$work/my file.conf"
[ "$(offered lingerd -c "$work/my")" = "$work/my file.conf" ] || fail "lingerd -c: $(offered lingerd -c "$work/my")"
[ "$(offered lingerd --metrics unix : "$work/my")" = "$work/my file.conf" ] || fail "lingerd --metrics unix:"
[ "$(offered "$BUILD/lingerbench" run apache-ph)" = apache-php ] || fail "lingerbench run apache-ph"
mkdir "$work/results"
[ "$(offered lingerbench compare "$work/res")" = "$work/results" ] || fail "lingerbench compare FOLDER"
[ "$(offered lingerbench compare "$work" "$work/res")" = "$work/results" ] || fail "lingerbench compare A FOLDER"
# Each value that is offered is one that the program takes.
for how in close reset; do
    [ "$(offered lingerd --at-deadline "$how")" = "$how" ] || fail "--at-deadline $how"
    "$BUILD/lingerd" --check-config --at-deadline "$how" 2>/dev/null || fail "--at-deadline $how is refused"
done

type_tab() { # SHELL
    python3 tests/support/type_tab.py "$1" "$PWD/packaging/completion/$1" 'lingerd --take' 'lingerd --at-deadline res' 'lingerctl clo' \
        'lingerctl top --int' 'lingertrace --fam' 'lingertrace --hooks fe' "lingerbench compare $work/res --ma" 'lingerbench run --dr' "$BUILD/lingerbench run gunic"
}
cat >"$work/expected" <<E
lingerd --take-over
lingerd --at-deadline reset
lingerctl close-all
lingerctl top --interval
lingertrace --family
lingertrace --hooks fentry
lingerbench compare $work/res --margin
lingerbench run --dry-run
$BUILD/lingerbench run gunicorn
E
type_tab bash >"$work/typed" || fail "bash: $(cat "$work/typed")"
diff "$work/expected" "$work/typed" || fail "typed into bash (>)"
command -v zsh >/dev/null || { echo "SKIP: no zsh" && exit 77; }
type_tab zsh >"$work/typed" || fail "zsh: $(cat "$work/typed")"
diff "$work/expected" "$work/typed" || fail "typed into zsh (>)"
exit 0
