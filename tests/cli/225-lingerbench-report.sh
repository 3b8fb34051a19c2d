#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# report.html in a real browser: on a phone, on a desk, in the dark and on paper; and lingerbench report draws it again.
. tests/cli/lingerbench.common

for tool in chromium chromedriver pdftotext pdftoppm; do
    if ! command -v $tool >/dev/null; then
        [ -z "${CI-}" ] || fail "no $tool, and this is CI: packaging/packages-test has it"
        echo "SKIP: no $tool"
        exit 77
    fi
done

# Responses that are lost, an A/A arm, and blocks enough for an interval.
bench run quick --set strategies.use='close close_again lingerd' \
    --set peers.use='prompt uploader' --set load.connections=8 --set load.blocks=6 --out "$work/results"
[ "$status" = 0 ] || [ "$status" = 3 ] || fail "exit status $status"
results=$work/results/latest

mkdir "$work/scratch"
PYTHONDONTWRITEBYTECODE=1 python3 tests/support/report_page.py "$results" "$work/scratch" >"$work/out" 2>&1 ||
    fail "$(tail -n 1 "$work/out")"
grep -q 'noise floor' "$results/report.html" || fail "the A/A arm is not told"

cp "$results/report.html" "$work/before.html"
rm "$results/report.html"
bench report "$results"
[ "$status" = 0 ] || fail "report: exit status $status"
cmp "$results/report.html" "$work/before.html" || fail "the report of the same files is another"

# What is wrong is told in a line that names the file.
refuses() { # FOLDER TEXT
    bench report "$1"
    expect 1 "$2"
    [ "$(wc -l <"$work/err")" = 1 ] || fail "more than a line"
    [ ! -s "$work/out" ] || fail "something on stdout"
}
refuses "$work/nowhere" "$work/nowhere has no run.json; expected the folder of a run, such as results/latest"
mkdir "$work/broken"
cp -r "$results"/. "$work/broken"
head -c 100 "$results/run.json" >"$work/broken/run.json"
refuses "$work/broken" "$work/broken/run.json is damaged ("
cp "$results/run.json" "$work/broken"
echo 'prefork,close' >>"$work/broken/summary.csv"
refuses "$work/broken" "$work/broken/summary.csv is damaged: not all of its rows have as many fields as its head"
cp "$results/summary.csv" "$work/broken"
rm "$work/broken/blocks.csv"
refuses "$work/broken" "cannot read $work/broken/blocks.csv: No such file or directory"
exit 0
