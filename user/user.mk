# SPDX-License-Identifier: MIT
# User side: every folder of user/ is one library or one program, made of all the .c files in it.

CC       ?= cc
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wvla -Wwrite-strings
ifdef CI
WARNINGS += -Werror
endif
SAN_FLAGS  := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
VERSION    := 0.1.0
USER_CFLAGS = -std=gnu11 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(SAN_FLAGS) -D_GNU_SOURCE -DLINGER_VERSION='"$(VERSION)"' \
              -I. -Iuser -Ibuild/gen -pthread -fPIC -fvisibility=hidden -MMD -MP
USER_LDFLAGS = $(LDFLAGS) $(SAN_FLAGS) -pthread

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(addsuffix /*.c,$(1))))

# An archive: each program takes the pieces it calls, and needs only the libraries of those.
COMMON   := $(BUILD)/obj/common.a
LIBLINGER := $(call objects,user/liblinger)
TRACER   := $(call objects,user/tracer)
METRICS  := $(call objects,user/metrics)

PROGRAMS := $(foreach p,lingerd lingerd-drain lingerctl lingertrace lingerbench,$(if $(wildcard user/$(p)/*.c),$(BUILD)/$(p)))
# Loaded into servers that are not ours, so never sanitized: a sanitized library needs a sanitized program.
PLAIN_ARTEFACTS := $(BUILD)/liblinger-preload.so $(BUILD)/mod_lingerd.so
USER_ARTEFACTS = $(PROGRAMS) $(BUILD)/liblinger.a $(BUILD)/liblinger.so $(PLAIN_ARTEFACTS)

TRACER_LIBS := -lbpf -lelf -lz

# Another version or other flags make other objects. But root installs what somebody has built, as it is.
FLAGS := $(CC) $(USER_CFLAGS)
ifneq ($(file <$(BUILD)/flags),$(FLAGS))
ifeq ($(shell test -e $(BUILD)/flags -a ! -O $(BUILD)/flags && echo another),)
$(BUILD)/flags: FORCE
endif
endif
$(BUILD)/flags:
	@mkdir -p $(@D) build/gen 2>/dev/null && test -w $(@D) -a -w build/gen || \
		{ echo "cannot write to build/ here: make it in a copy of your own, or as whom it belongs to" >&2; exit 1; }
	@printf '%s\n' '$(subst ','\'',$(FLAGS))' >$@

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call step,CC)
	$(Q)$(CC) $(USER_CFLAGS) -c $< -o $@

$(COMMON): $(call objects,user/common)
	$(call step,AR)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# The commit goes into run.json and the name of a result folder; the header changes only when it does.
# Root may install from somebody else's checkout: git answers there if it is told to.
COMMIT := $(shell git -c safe.directory='*' describe --always --dirty --abbrev=10 2>/dev/null || echo unknown)
build/gen/commit.h: FORCE | $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '#define LINGER_COMMIT "$(COMMIT)"' | cmp -s - $@ || echo '#define LINGER_COMMIT "$(COMMIT)"' > $@
FORCE:
.PHONY: FORCE
$(call objects,user/lingerbench): | build/gen/commit.h
# Asked only when it is compiled; x86_64-linux-gnu on Debian, nothing elsewhere.
$(BUILD)/obj/user/lingerbench/locate.o: USER_CFLAGS += -DLINGER_MULTIARCH_LIB='"../lib/$(shell $(CC) -print-multiarch 2>/dev/null)"'

# The skeletons must be there before the first compilation; afterwards the .d files know who reads them.
$(TRACER) $(call objects,user/lingerd-drain): | $(BPF_SKELETONS)

$(BUILD)/lingerd: $(call objects,user/lingerd) $(LIBLINGER) $(METRICS) $(COMMON)
$(BUILD)/lingerd: LIBS = -linih -lsystemd -lmicrohttpd -lseccomp -luring
$(BUILD)/lingerd-drain: $(call objects,user/lingerd-drain) $(COMMON)
$(BUILD)/lingerd-drain: LIBS = $(TRACER_LIBS)
# The table of counters is the one piece that both programs have.
$(BUILD)/lingerctl: $(call objects,user/lingerctl) $(BUILD)/obj/user/lingerd/counters.o $(COMMON)
$(BUILD)/lingerctl: LIBS = -ljansson
$(BUILD)/lingertrace: $(call objects,user/lingertrace) $(TRACER) $(METRICS) $(COMMON)
$(BUILD)/lingertrace: LIBS = $(TRACER_LIBS) -lmicrohttpd -ljansson
# It asks the daemon as lingerctl does.
$(BUILD)/lingerbench: $(call objects,user/lingerbench user/lingerbench/strategies user/lingerbench/servers) \
                      $(BUILD)/obj/user/lingerctl/ask.o $(TRACER) $(LIBLINGER) $(COMMON)
$(BUILD)/lingerbench: LIBS = $(TRACER_LIBS) -luring -linih -ljansson -lssl -lcrypto -lm

$(PROGRAMS):
	$(call step,LINK)
	$(Q)$(CC) $(USER_LDFLAGS) $^ $(LIBS) -o $@

$(BUILD)/liblinger.a: $(LIBLINGER)
	$(call step,AR)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# No -lpthread beyond glibc's own: the library is loaded into servers with and without threads.
$(BUILD)/liblinger.so: $(LIBLINGER) user/liblinger/liblinger.map
	$(call step,LINK)
	$(Q)$(CC) $(USER_LDFLAGS) -shared -Wl,-soname,liblinger.so.1 \
		-Wl,--version-script=user/liblinger/liblinger.map $(LIBLINGER) -o $@
	@ln -sf liblinger.so $(BUILD)/liblinger.so.1

ifneq ($(SAN),)
$(PLAIN_ARTEFACTS) &: FORCE
	@$(MAKE) --no-print-directory -s SAN= $(patsubst $(BUILD)/%,build/%,$(PLAIN_ARTEFACTS))
	@mkdir -p $(BUILD)
	@cp $(patsubst $(BUILD)/%,build/%,$(PLAIN_ARTEFACTS)) $(BUILD)
else
# The library comes along in each of them, and none of it is seen from outside.
PLUGIN_LDFLAGS = $(USER_LDFLAGS) -shared -Wl,--exclude-libs,ALL -Wl,-z,now

# The soname makes it a library of the loader's folders, so that its name is enough for LD_PRELOAD.
$(BUILD)/liblinger-preload.so: $(call objects,user/preload) $(BUILD)/liblinger.a
	$(call step,LINK)
	$(Q)$(CC) $(PLUGIN_LDFLAGS) -Wl,-soname,$(@F) -Wl,-z,defs $^ -o $@
endif

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
