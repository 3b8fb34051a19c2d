# SPDX-License-Identifier: MIT
# Kernel side: each NAME.bpf.c becomes build/NAME.bpf.o and the skeleton build/gen/NAME.skel.h.

BPF_CLANG   ?= clang
BPF_STRIP   ?= llvm-strip
BPFTOOL     ?= $(firstword $(shell command -v bpftool) /usr/sbin/bpftool)
BPF_ARCH    := $(shell uname -m | sed -e 's/x86_64/x86/' -e 's/aarch64/arm64/' -e 's/ppc64le/powerpc/' -e 's/riscv64/riscv/')
# v3, Linux 5.12: atomic operations that return the old value.
BPF_CFLAGS  := -std=gnu11 -O2 -g -Wall -Wextra -Wno-unused-parameter -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -Ibpf
BPF_SOURCES := $(wildcard bpf/*.bpf.c)
# The kernel side does not depend on the flavour of user space: always in build/.
BPF_OBJECTS   := $(BPF_SOURCES:bpf/%.bpf.c=build/%.bpf.o)
BPF_SKELETONS := $(BPF_SOURCES:bpf/%.bpf.c=build/gen/%.skel.h)

build/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h)
	@mkdir -p $(@D)
	$(call step,BPF)
	$(Q)$(BPF_CLANG) $(BPF_CFLAGS) -c $< -o $@
	$(Q)$(BPF_STRIP) -g $@

build/gen/%.skel.h: build/%.bpf.o
	@mkdir -p $(@D)
	$(call step,SKELETON)
	$(Q){ echo '/* NOLINTBEGIN: generated */' && $(BPFTOOL) gen skeleton $< name $* && echo '/* NOLINTEND */'; } > $@
