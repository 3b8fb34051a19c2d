# SPDX-License-Identifier: MIT
# make install / uninstall: binaries, library, header, pkg-config file, man pages.
