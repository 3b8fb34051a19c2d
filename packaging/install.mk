# SPDX-License-Identifier: MIT
# make install / uninstall: programs, library, header, pkg-config file, man pages, documents, completions, units of
# systemd with their user, folder and configuration, scenarios, rules, dashboard.

BINDIR     ?= $(PREFIX)/bin
SBINDIR    ?= $(PREFIX)/sbin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR    ?= $(PREFIX)/share/lingerd
DOCDIR     ?= $(PREFIX)/share/doc/lingerd
MANDIR     ?= $(PREFIX)/share/man
# systemd looks below /usr/local, too.
UNITDIR     ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
SYSCONFDIR  ?= /etc
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR  ?= $(PREFIX)/share/zsh/site-functions

DOCUMENTS := $(patsubst docs/%,$(BUILD)/docs/%,$(wildcard docs/*.md)) $(BUILD)/docs/results.md
MAN_PAGES := $(patsubst docs/man/%,$(BUILD)/man/%,$(wildcard docs/man/*.[0-9]))
# linger_handoff(3) is the page of each function that its NAME section has.
MAN_LINKS := $(filter-out linger_handoff,$(shell sed -n '/^.Sh NAME/,/^.Nd/s/^.Nm \([a-z_]*\).*/\1/p' docs/man/linger_handoff.3))

# What has paths of this installation in it.
TEMPLATES := $(BUILD)/liblinger.pc $(BUILD)/systemd/lingerd.service $(BUILD)/systemd/lingerd-drain.service $(BUILD)/systemd/lingertrace.service $(BUILD)/sysvinit/lingerd \
	$(DOCUMENTS) $(MAN_PAGES)
# Renamed on the way.
SNIPPETS  := $(BUILD)/sysusers.d/lingerd.conf $(BUILD)/tmpfiles.d/lingerd.conf

# Each as SOURCE:FOLDER:MODE.
INSTALLED := \
	$(BUILD)/lingerd:$(SBINDIR):755 \
	$(BUILD)/lingerctl:$(SBINDIR):755 \
	$(BUILD)/lingerd-drain:$(SBINDIR):755 \
	$(BUILD)/lingertrace:$(SBINDIR):755 \
	$(BUILD)/lingerbench:$(BINDIR):755 \
	$(BUILD)/liblinger.a:$(LIBDIR):644 \
	$(BUILD)/liblinger.so.$(VERSION):$(LIBDIR):755 \
	$(BUILD)/liblinger-preload.so:$(LIBDIR):755 \
	$(BUILD)/liblinger.pc:$(LIBDIR)/pkgconfig:644 \
	user/liblinger/linger.h:$(INCLUDEDIR):644 \
	$(foreach scenario,$(wildcard scenarios/*.ini),$(scenario):$(DATADIR)/scenarios:644) \
	results/run.schema.json:$(DATADIR):644 \
	$(foreach rules,$(wildcard packaging/prometheus/*.rules.yml),$(rules):$(DATADIR)/prometheus:644) \
	packaging/grafana/lingerd.json:$(DATADIR)/grafana:644 \
	packaging/systemd/lingerd.socket:$(UNITDIR):644 \
	$(BUILD)/systemd/lingerd.service:$(UNITDIR):644 \
	$(BUILD)/systemd/lingerd-drain.service:$(UNITDIR):644 \
	$(BUILD)/systemd/lingertrace.service:$(UNITDIR):644 \
	$(BUILD)/sysvinit/lingerd:$(DATADIR)/sysvinit:755 \
	$(BUILD)/sysusers.d/lingerd.conf:$(SYSUSERSDIR):644 \
	$(BUILD)/tmpfiles.d/lingerd.conf:$(TMPFILESDIR):644 \
	$(foreach program,$(wildcard packaging/completion/bash/*),$(program):$(BASHCOMPDIR):644) \
	$(foreach program,$(wildcard packaging/completion/zsh/*),$(program):$(ZSHCOMPDIR):644) \
	$(foreach document,$(DOCUMENTS),$(document):$(DOCDIR):644) \
	$(foreach page,$(MAN_PAGES),$(page):$(MANDIR)/man$(subst .,,$(suffix $(page))):644)

# Ours alone; those inside others first.
FOLDERS := $(addprefix $(DATADIR)/,scenarios prometheus grafana sysvinit) $(DATADIR) $(DOCDIR) $(SYSCONFDIR)/lingerd

# What somebody wrote there stays.
CONFIGURATION = $(DESTDIR)$(SYSCONFDIR)/lingerd/lingerd.conf

field = $(word $(2),$(subst :, ,$(1)))

# Apache's places, as Debian has them; not below PREFIX, for that is where Apache looks.
APACHE_MODULES = $(DESTDIR)$(shell $(APXS) -q LIBEXECDIR)
APACHE_CONFIG  = $(DESTDIR)/etc/apache2/mods-available

.PHONY: install uninstall install-apache uninstall-apache

# Paths below the prefix say so, as the pkg-config file has it.
below_prefix = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))

$(BUILD)/%.pc: packaging/%.pc.in
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(call below_prefix,$(LIBDIR))|' \
		-e 's|@INCLUDEDIR@|$(call below_prefix,$(INCLUDEDIR))|' -e 's|@VERSION@|$(VERSION)|' $< > $@

fill_template = sed -e 's|@SBINDIR@|$(SBINDIR)|' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|' $< > $@

$(BUILD)/systemd/%: packaging/systemd/%.in
	@mkdir -p $(@D)
	@$(fill_template)

$(BUILD)/sysvinit/%: packaging/sysvinit/%.in
	@mkdir -p $(@D)
	@$(fill_template)

# Documents name files of the tree; where those are installed, the place of that. Links that would lead nowhere are their text.
installed_paths = sed -E -e 's,\[([^]]*)\]\((man|\.\.)/[^)]*\),\1,g' \
	-e 's,\<docs/([a-z]+\.md),$(DOCDIR)/\1,' \
	-e '/\.test\.yml/!s,\<packaging/(prometheus|grafana|sysvinit)\>,$(DATADIR)/\1,' \
	-e 's,/usr/local/share/lingerd\>,$(DATADIR),' -e 's,/etc/lingerd/,$(SYSCONFDIR)/lingerd/,' $< > $@

$(BUILD)/docs/%.md: docs/%.md
	@mkdir -p $(@D)
	@$(installed_paths)

$(BUILD)/docs/results.md: results/README.md
	@mkdir -p $(@D)
	@$(installed_paths)

$(BUILD)/man/%: docs/man/%
	@mkdir -p $(@D)
	@$(installed_paths)

$(BUILD)/sysusers.d/%.conf: packaging/systemd/%.sysusers
	@mkdir -p $(@D)
	@cp $< $@

$(BUILD)/tmpfiles.d/%.conf: packaging/systemd/%.tmpfiles
	@mkdir -p $(@D)
	@cp $< $@

$(BUILD)/liblinger.so.$(VERSION): $(BUILD)/liblinger.so
	@cp $< $@

# The paths in it are those of this call, not of an earlier one.
install: all ## install below DESTDIR/PREFIX (default /usr/local)
	@rm -f $(TEMPLATES)
	@$(MAKE) --no-print-directory -s $(TEMPLATES) $(SNIPPETS) $(BUILD)/liblinger.so.$(VERSION)
	@$(foreach entry,$(INSTALLED),install -D -m $(call field,$(entry),3) $(call field,$(entry),1) \
		$(DESTDIR)$(call field,$(entry),2)/$(notdir $(call field,$(entry),1)) &&) true
	@ln -sf liblinger.so.$(VERSION) $(DESTDIR)$(LIBDIR)/liblinger.so.1
	@ln -sf liblinger.so.1 $(DESTDIR)$(LIBDIR)/liblinger.so
	@$(foreach function,$(MAN_LINKS),ln -sf linger_handoff.3 $(DESTDIR)$(MANDIR)/man3/$(function).3 &&) true
	@test -e $(CONFIGURATION) || install -D -m 644 packaging/lingerd.conf $(CONFIGURATION)
	@echo "installed below $(DESTDIR)$(PREFIX)$(if $(DESTDIR),,; run ldconfig if the library is new there)"

uninstall: ## remove what make install put there, but no lingerd.conf that was changed
	@! cmp -s packaging/lingerd.conf $(CONFIGURATION) || rm $(CONFIGURATION)
	@rm -f $(foreach entry,$(INSTALLED),$(DESTDIR)$(call field,$(entry),2)/$(notdir $(call field,$(entry),1))) \
		$(DESTDIR)$(LIBDIR)/liblinger.so.1 $(DESTDIR)$(LIBDIR)/liblinger.so \
		$(MAN_LINKS:%=$(DESTDIR)$(MANDIR)/man3/%.3)
	@for folder in $(FOLDERS:%=$(DESTDIR)%); do [ ! -d "$$folder" ] || rmdir --ignore-fail-on-non-empty "$$folder"; done
	@echo "removed what was installed below $(DESTDIR)$(PREFIX)"
	@[ ! -e $(CONFIGURATION) ] || echo "$(CONFIGURATION) was changed, and is left"

install-apache: $(BUILD)/mod_lingerd.so ## install the module where Apache looks; then: a2enmod lingerd
	@install -D -m 644 $< $(APACHE_MODULES)/mod_lingerd.so
	@install -D -m 644 apache-shim/lingerd.load $(APACHE_CONFIG)/lingerd.load
	@test -e $(APACHE_CONFIG)/lingerd.conf || install -m 644 apache-shim/lingerd.conf $(APACHE_CONFIG)/lingerd.conf
	@echo "installed $(APACHE_MODULES)/mod_lingerd.so; a2enmod lingerd enables it"

uninstall-apache: ## remove it again, but no lingerd.conf that was changed; a2dismod lingerd first
	@rm -f $(APACHE_MODULES)/mod_lingerd.so $(APACHE_CONFIG)/lingerd.load
	@! cmp -s apache-shim/lingerd.conf $(APACHE_CONFIG)/lingerd.conf || rm $(APACHE_CONFIG)/lingerd.conf
