# SPDX-License-Identifier: MIT
"""report_page.py FOLDER SCRATCH: looks at FOLDER/report.html in Chromium: on a phone, on a desk, in the dark and on paper."""
import collections
import csv
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree

from browser import Browser

SECTIONS = ["Verdict", "Warnings", "What became of the responses", "Paired differences", "Worker hold", "Response",
            "Stays in the states of TCP", "Repeat it", "Environment"]

# Of A4 without its margins, in the pixels of CSS.
PAPER_WIDTH = 703

# How many of them a section has for each peer, at least: of a peer whose responses are all lost there is no ratio of throughput.
DRAWINGS = {"What became of the responses": 1, "Paired differences": 1, "Worker hold": 2, "Response": 2,
            "Stays in the states of TCP": 1}

# What the page has, as a reader meets it.
LOOK = r"""
const luminance = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const numbers = color => color.match(/[\d.]+/g).map(Number);
const below = element => {  // what its text stands on
    for (; element; element = element.parentElement) {
        const color = numbers(getComputedStyle(element).backgroundColor);
        if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
};
const contrast = (text, back) => {
    const [dark, light] = [luminance(text), luminance(back)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
};
const texts = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || parent.closest("title")) continue;
    const style = getComputedStyle(parent);
    const drawn = parent.namespaceURI.endsWith("svg");
    texts.push({text: walker.currentNode.data.trim(),
                contrast: contrast(numbers(drawn ? style.fill : style.color), below(parent))});
}
const box = element => { const {left, right, top, bottom} = element.getBoundingClientRect(); return {left, right, top, bottom}; };
const drawings = [...document.querySelectorAll("figure > svg")].map(svg => ({
    section: svg.closest("section").querySelector("h2").textContent,
    label: svg.getAttribute("aria-label"), box: box(svg),
    texts: [...svg.querySelectorAll("text")].map(text => ({text: text.textContent, box: box(text)})),
    marks: svg.querySelectorAll("rect, circle, polyline").length}));
const root = document.documentElement;
return {
    scroll_width: root.scrollWidth, width: innerWidth,
    back: luminance(below(document.body)),
    before: [...document.body.children].map(child => child.tagName),
    sections: [...document.querySelectorAll("section > h2")].map(h2 => ({text: h2.textContent, box: box(h2)})),
    names: [...document.querySelectorAll("section:first-of-type td.name")].map(td => td.textContent),
    scrolled: [...document.querySelectorAll(".wide, figure, pre")].filter(e => e.scrollWidth > e.clientWidth + 1).length,
    outside: [...document.querySelectorAll("section *")].filter(e => !e.closest(".wide, figure, details:not([open])"))
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80)),
    texts, drawings,
};
"""


class Run:
    """What the files of the folder say that the page must have."""

    def __init__(self, folder):
        with open(folder + "/run.json") as file:
            self.json = json.load(file)
        with open(folder + "/summary.csv") as file:
            rows = list(csv.DictReader(file))
        self.arms = {peer: [row["strategy"] for row in rows if row["peer"] == peer] for peer in self.json["scenario"]["peers"]}
        self.sections = [name for name in SECTIONS if name != "Warnings" or self.json["warnings"] or
                         not self.json["trace"]["traced"]]
        if not self.json["trace"]["traced"]:
            self.sections.remove("Stays in the states of TCP")


def check_quiet(browser, url):
    asked = browser.requested()
    assert asked == [url], f"the page asks for {asked}"
    said = browser.console()
    assert not said, f"on the console: {said}"


def check_order(look, run):
    found = [section["text"] for section in look["sections"]]
    assert found == run.sections, f"sections {found}, expected {run.sections}"
    assert look["before"][:3] == ["H1", "P", "SECTION"], f"before the verdict: {look['before']}"
    tops = [section["box"]["top"] for section in look["sections"]]
    assert tops == sorted(tops), f"the verdict is not above everything else: {tops}"
    wanted = [strategy for strategies in run.arms.values() for strategy in strategies]
    assert look["names"] == wanted, f"verdict on {look['names']}, expected {wanted}"


def check_drawings(look, run):
    """Each in its place, with all its strategies, and all of its text within it."""
    for drawing in look["drawings"]:
        box, what = drawing["box"], f"{drawing['section']}, {drawing['label']}"
        assert box["right"] - box["left"] > 200 and box["bottom"] - box["top"] > 20, f"{what}: {box}"
        assert drawing["marks"], f"{what}: nothing is drawn"
        for text in drawing["texts"]:
            of = text["box"]
            assert (of["left"] >= box["left"] - 1 and of["right"] <= box["right"] + 1 and of["top"] >= box["top"] - 1
                    and of["bottom"] <= box["bottom"] + 1), f"{what}: {text} is not within {box}"
        peer = drawing["label"].rsplit("peer ", 1)[1]
        names = " ".join(text["text"] for text in drawing["texts"]).split()
        paired = drawing["section"] == "Paired differences"
        for strategy in run.arms[peer][1 if paired else 0:]:
            assert strategy in names, f"{what}: no {strategy} in {names}"
    drawn = [(drawing["section"], drawing["label"].rsplit("peer ", 1)[1]) for drawing in look["drawings"]]
    for section, least in DRAWINGS.items():
        for peer in run.arms:
            count = drawn.count((section, peer))
            assert section not in run.sections or count >= least, f"{section}, {peer}: {count} drawings"


def check_contrast(look, mode):
    poor = [text for text in look["texts"] if text["contrast"] < 4.5]
    assert len(look["texts"]) > 100 and not poor, f"{mode}: hard to read: {poor[:5]}"
    assert (look["back"] < 0.1) == (mode == "dark"), f"{mode}: the page's background has the luminance {look['back']}"


def check_screens(browser, url, run):
    for mode, width, dark in (("phone", 390, False), ("desktop", 1280, False), ("dark", 1280, True)):
        browser.show(width, 844, dark)
        browser.open(url)
        check_quiet(browser, url)
        look = browser.run(LOOK)
        # A phone shows all that is there by making everything smaller: then its window is wider, too.
        assert look["width"] == width >= look["scroll_width"], f"{mode}: the page is {look['scroll_width']} wide"
        assert not look["outside"], f"{mode}: beyond the right edge: {look['outside'][:3]}"
        check_order(look, run)
        check_drawings(look, run)
        check_contrast(look, mode)
        if mode != "phone":
            assert not look["scrolled"], f"{mode}: {look['scrolled']} parts do not fit"


def words_of(pdf):
    """Page by page: its width, and its words with their right ends, in points."""
    out = subprocess.run(["pdftotext", "-bbox", pdf, "-"], check=True, capture_output=True).stdout
    root = xml.etree.ElementTree.fromstring(out)
    for page in root.iter("{http://www.w3.org/1999/xhtml}page"):
        yield float(page.get("width")), [(word.text, float(word.get("xMax"))) for word in page if word.text]


def colors_of(pdf):
    """All pages at 40 dpi: how many pixels of each color."""
    out = subprocess.run(["pdftoppm", "-r", "40", pdf], check=True, capture_output=True).stdout
    colors = collections.Counter()
    while out:
        head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", out)
        end = head.end() + 3 * int(head[1]) * int(head[2])
        pixels, out = out[head.end():end], out[end:]
        colors.update(zip(pixels[0::3], pixels[1::3], pixels[2::3]))
    return colors


def count_near(colors, wanted):
    return sum(count for color, count in colors.items() if all(abs(a - b) < 8 for a, b in zip(color, wanted)))


def check_paper(browser, url, run, scratch):
    """Printed by somebody whose screen is dark: on white, whole, with the bars and the key's squares."""
    browser.show(1280, 844)
    browser.open(url)
    key = browser.run("const key = document.querySelector('.key'); return getComputedStyle(key).backgroundColor;")
    key = [int(number) for number in re.findall(r"\d+", key)]
    browser.show(PAPER_WIDTH, 1000, medium="print")
    look = browser.run(LOOK)
    assert not look["scrolled"] and not look["outside"], f"{look['scrolled']} parts are too wide for paper, {look['outside']}"
    browser.show(1280, 844, dark=True)
    pdf = scratch + "/report.pdf"
    browser.print(pdf)
    margin = 12 / 25.4 * 72
    words = []
    for width, page in words_of(pdf):
        assert abs(width - 595) < 2, f"pages {width} points wide are not A4"
        beyond = [word for word, right in page if right > width - margin + 2]
        assert not beyond, f"cut on the right: {beyond}"
        words += [word for word, _ in page]
    text = " ".join(words)
    for wanted in run.sections + [strategy for strategies in run.arms.values() for strategy in strategies] + [
            "CPU/conn", "net.ipv4.tcp_fin_timeout"]:
        assert wanted in text, f"not on paper: {wanted}"
    colors = colors_of(pdf)
    assert colors[255, 255, 255] > colors.total() / 2, "paper is not white"
    bars = count_near(colors, key)
    assert bars > 500, f"{bars} pixels of the bars are on paper"
    # Without the bars, the squares of the key are all that has this color: they are backgrounds, which printers leave out.
    browser.run("for (const drawn of document.querySelectorAll('figure')) drawn.remove();")
    browser.print(pdf)
    squares = count_near(colors_of(pdf), key)
    assert squares >= 4, f"{squares} pixels of the key are on paper"


def main():
    folder, scratch = sys.argv[1:]
    run = Run(folder)
    url = "file://" + os.path.realpath(folder + "/report.html")
    with Browser(scratch) as browser:
        browser.open("about:blank")
        browser.requested()
        check_screens(browser, url, run)
        check_paper(browser, url, run, scratch)


main()
