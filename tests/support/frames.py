# SPDX-License-Identifier: MIT
"""What a program with a live table has written to a terminal."""
import os
import re


def read_to_end(terminal):
    """All that comes until the program has closed its side of a pseudo-terminal."""
    output = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            piece = b""
        if not piece:
            return output
        output += piece


def check(text, lines_most, columns_most):
    """Returns its frames: on the other screen, within its size, and the former one is there again."""
    assert text.count("\x1b[?1049h") == text.count("\x1b[?1049l") == 1, text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1, text
    drawn = text[text.index("\x1b[?1049h") : text.index("\x1b[?25h")]
    frames = drawn.split("\x1b[H")[1:]
    assert len(frames) >= 3, frames
    for frame in frames:
        assert frame.endswith("\x1b[J"), frame
        lines = re.sub(r"\x1b\[[KJ]", "", frame).split("\r\n")
        assert len(lines) <= lines_most and all(len(line) <= columns_most for line in lines), lines
    return frames
