# SPDX-License-Identifier: MIT
# mod_lingerd.so, for Apache 2.4 as apxs knows it.

APXS       ?= apxs2
APR_CONFIG ?= apr-1-config

# The server's headers are not ours to warn about. Asked only when something is compiled.
APACHE_CFLAGS = -isystem $(shell $(APXS) -q INCLUDEDIR) $(shell $(APR_CONFIG) --cppflags) \
                $(patsubst -I%,-isystem %,$(shell $(APR_CONFIG) --includes))

MOD_LINGERD := $(call objects,apache-shim)
$(MOD_LINGERD): USER_CFLAGS += $(APACHE_CFLAGS)

ifeq ($(SAN),)
# What it calls of Apache and APR is in the server that loads it, so there is no -z defs.
$(BUILD)/mod_lingerd.so: $(MOD_LINGERD) $(BUILD)/liblinger.a $(COMMON)
	$(call step,LINK)
	$(Q)$(CC) $(PLUGIN_LDFLAGS) $^ -o $@
endif
