#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""type_tab.py bash|zsh COMPLETIONS LINE...: types each LINE and Tab into a shell on a terminal, and prints what it has become.

COMPLETIONS is a folder: of bash's files, which are sourced, or of zsh's functions.
"""
import os
import pty
import re
import select
import sys
import time

PATIENCE_S = 30
SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}
SETUP = {
    "bash": "bind 'set enable-bracketed-paste off'; for f in {folder}/*; do . \"$f\"; done\n",
    "zsh": "unset zle_bracketed_paste; bindkey -e; fpath=({folder} $fpath); autoload -U compinit; compinit -u -D\n",
}
BEGINNING_OF_LINE = "\x01"


class Shell:
    def __init__(self, name, folder):
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.environ.update(TERM="xterm", PS1="$ ", COLUMNS="200", HOME="/nonexistent")
            os.execvp(SHELLS[name][0], SHELLS[name])
        self.seen = b""
        self.count = 0
        self.type(SETUP[name].format(folder=folder))
        self.words("")

    def type(self, text):
        os.write(self.terminal, text.encode())

    def wait(self, pattern):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            match = re.search(pattern, self.seen)
            if match:
                self.seen = self.seen[match.end():]
                return match.group(1).decode()
            if select.select([self.terminal], [], [], 0.2)[0]:
                self.seen += os.read(self.terminal, 65536)
        sys.exit(f"no answer of the shell: {self.seen[-500:]!r}")

    def words(self, line):
        """What the line has become, as words. Printed by the shell itself, so that no echo is taken for it."""
        self.count += 1
        self.type(line + ("\t" if line else ""))
        # The completion is under way: what is typed now waits, except that a list may be on the screen before it.
        self.type(f"{BEGINNING_OF_LINE}printf '%s ' {self.count}'<'{self.count} \n")
        return self.wait(rb"%d<%d ([^\r\n]*?) ?\r?[\n$%%\x1b]" % (self.count, self.count))


def main():
    shell = Shell(sys.argv[1], sys.argv[2])
    for line in sys.argv[3:]:
        print(shell.words(line).strip())
    os.close(shell.terminal)


main()
