# SPDX-License-Identifier: MIT
# Tests. unit/ and system/: one cmocka program per file. cli/: one shell script per file. fuzz/: one target per file.
# vm/: the machine that test-vm boots, and the tests of systemd's side. deb/: what test-deb does with the packages.
# A unit test includes the .c file it tests, so that statics are in its reach; whatever else it needs
# comes from the archive, where the linker takes only what is still missing.

TESTABLE  := $(filter-out %/main.o,$(call objects,user/common user/metrics user/liblinger user/lingerd user/lingerctl \
             user/tracer user/lingertrace user/lingerbench user/lingerbench/strategies user/lingerbench/servers))
TEST_SUPPORT  := $(call objects,tests/support)
TEST_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*.c tests/system/*.c))

.PHONY: tests-build bench-build lint-checks

tests-build: $(TEST_PROGRAMS) $(BUILD)/tests/faults.so

# It reads the tracer's inside.
$(BUILD)/obj/tests/system/test_tracer_missed.o: | $(BPF_SKELETONS)

# bench/: each .c a program of its own, that the scripts beside it run, but for what they share.
BENCH_SHARED := $(BUILD)/obj/tests/bench/loopback.o
bench-build: $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(filter-out %/loopback.c,$(wildcard tests/bench/*.c)))

$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(BENCH_SHARED) $(BUILD)/obj/testable.a
	@mkdir -p $(@D)
	$(call step,LINK)
	$(Q)$(CC) $(USER_LDFLAGS) $^ -luring -o $@

$(BUILD)/obj/testable.a: $(TESTABLE)
	$(call step,AR)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(TEST_SUPPORT) $(BUILD)/obj/testable.a
	@mkdir -p $(@D)
	$(call step,LINK)
	$(Q)$(CC) $(USER_LDFLAGS) $^ $(TRACER_LIBS) -lcmocka -luring -linih -lsystemd -ljansson -lmicrohttpd -lseccomp -lssl -lcrypto -lm -o $@

# faults/: a library that makes system calls of a program fail. Never sanitized: it comes before the sanitizer.
$(BUILD)/tests/faults.so: tests/faults/faults.c tests/faults/faults.h
	@mkdir -p $(@D)
	$(call step,LINK)
	$(Q)$(CC) -std=gnu11 $(CFLAGS) $(WARNINGS) -D_GNU_SOURCE -I. -fPIC -shared -fvisibility=hidden $< -ldl -o $@

.SECONDARY:

# soak/: one program.
$(BUILD)/soak: $(call objects,tests/soak) $(BUILD)/obj/testable.a
	$(call step,LINK)
	$(Q)$(CC) $(USER_LDFLAGS) $^ -o $@

# fuzz/: each .c a program of libFuzzer, made by clang with all that it calls, in a build folder of its own.
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
FUZZ_BUILD = $(MAKE) --no-print-directory -j$(JOBS) CC=clang SAN=fuzzer-no-link,address,undefined BUILD=build/fuzz fuzz-build

.PHONY: fuzz-build fuzz-programs
fuzz-programs:
	@$(FUZZ_BUILD)

fuzz-build: $(FUZZ_TARGETS:%=$(BUILD)/bin/%)

FUZZED := $(filter-out %/main.o,$(call objects,user/common user/metrics user/liblinger user/lingerd))
$(BUILD)/bin/%: $(BUILD)/obj/tests/fuzz/%.o $(FUZZED)
	@mkdir -p $(@D)
	$(call step,LINK)
	$(Q)$(CC) -fsanitize=fuzzer,address,undefined -pthread $^ -linih -lsystemd -lmicrohttpd -lseccomp -luring -lm -o $@

C_FILES := $(wildcard $(addsuffix /*.[ch],bpf user/* user/lingerbench/strategies user/lingerbench/servers apache-shim tests/*))
# What clang-tidy reads: C that is compiled for user space with the flags of user.mk. Apache's headers are
# found for all of them, and used by one.
TIDY_FILES := $(wildcard $(addsuffix /*.c,user/* user/lingerbench/strategies user/lingerbench/servers apache-shim))
SH_FILES := $(wildcard .ci/run tests/run tests/fuzz/run $(filter-out tests/vm/systemd,$(wildcard tests/vm/*)) tests/deb/run \
            tests/deb/*.sh tests/support/debian-tree packaging/*.sh packaging/sysvinit/*.in packaging/debian/*.p*rm \
            packaging/completion/bash/* tests/cli/*.sh)

lint-checks: $(BPF_SKELETONS) build/gen/commit.h
	@echo "clang-format, clang-tidy, cppcheck, shellcheck, mandoc"
	@clang-format --dry-run --Werror $(C_FILES)
	@printf '%s\n' $(TIDY_FILES) | xargs -P $(JOBS) -I{} clang-tidy --quiet --warnings-as-errors='*' {} -- -std=gnu11 \
		-D_GNU_SOURCE -DLINGER_VERSION='""' -I. -Iuser -Ibuild/gen $(APACHE_CFLAGS) >build/clang-tidy.log 2>&1 || \
		{ cat build/clang-tidy.log; exit 1; }
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppress=missingIncludeSystem -D__linux__ -DLINGER_VERSION='""' -I. -Iuser user apache-shim
	@printf '%s\n' $(SH_FILES) | xargs -P $(JOBS) -n 10 shellcheck -x
	@# What they set and define, others use; what they use, others have set.
	@shellcheck -x --exclude=SC2034,SC2154,SC2317 tests/cli/*.common
	@sed '/^#/d; s/[[:space:]].*//' tests/alone | while read -r test; do ls tests/$$test* >/dev/null || exit 1; done
	@$(if $(wildcard docs/man/*.[0-9]),mandoc -T lint -W warning docs/man/*.[0-9])
