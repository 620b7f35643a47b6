# trueup - one Makefile for everything.
#
#   make                 build/trueup
#   make check           every test, also under the sanitizers; ends with one line of counts
#   make demo            the main job on this machine, in under a minute
#   make help            all targets and variables

VERSION := 0.1.0

# ---------------------------------------------------------------- variables of the command line
ifeq ($(origin CC),default)
CC := gcc
endif
V         ?=
DEVELOPER ?=
SANITIZE  ?=
CCACHE    ?=
FUZZER    ?=
FAULTS    ?=
BUILD     ?= $(if $(FUZZER),build-fuzz,$(if $(SANITIZE),build-san,$(if $(FAULTS),build-faults,build)))
PREFIX    ?= /usr/local
DESTDIR   ?=
JOBS      ?= $(shell nproc 2>/dev/null || echo 2)
FUZZ_TIME ?= 60

# ---------------------------------------------------------------- what it needs
PACKAGES_BUILD := gcc libc6-dev make pkg-config git libgit2-dev libyaml-dev libcurl4-openssl-dev \
	libjansson-dev libsqlite3-dev libsodium-dev libhttp-parser-dev
PACKAGES_TEST := libcmocka-dev jq openssh-server openssh-client nginx fcgiwrap strace procps \
	openssl ca-certificates curl zsh fish mandoc python3-jsonschema python3-yaml \
	systemd docker.io podman netavark aardvark-dns docker-registry apache2-utils \
	busybox-static iproute2 iptables util-linux
PACKAGES_LINT := clang clang-tidy clang-format cppcheck
PKGS := libgit2 yaml-0.1 jansson sqlite3 libsodium
PKGS_LOADED := libcurl # when it is used (reconciler/base/httpc.h): its header is needed, no link

ROOT := $(CURDIR)
comma := ,
Q    := $(if $(V),,@)
say   = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)')

# ---------------------------------------------------------------- compiler
IS_CLANG := $(findstring clang,$(CC))

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wformat=2 -Werror -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wvla -Wundef -Wpointer-arith -Wwrite-strings \
	-Wimplicit-fallthrough -Wredundant-decls -Wdate-time -Walloca
ifeq ($(IS_CLANG),)
WARNINGS += -Wlogical-op -Wduplicated-cond -Wformat-signedness
endif
OPTIMIZE := -O2 -g
ifneq ($(DEVELOPER),)
OPTIMIZE := -Og -g3 -fno-omit-frame-pointer
WARNINGS += -Wcast-align
ifeq ($(IS_CLANG),)
WARNINGS += -Wduplicated-branches -Wnull-dereference
endif
endif

HARDEN    := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
HARDEN_LD := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
ifeq ($(shell uname -m),x86_64)
else
HARDEN := $(filter-out -fcf-protection,$(HARDEN))
endif
ifneq ($(DEVELOPER)$(SANITIZE),)
# Without full optimisation gcc sees uninitialised variables that are none.
WARNINGS += $(if $(IS_CLANG),,-Wno-maybe-uninitialized)
endif
ifneq ($(SANITIZE),)
OPTIMIZE := -O1 -g -fno-omit-frame-pointer
SAN      := -fsanitize=$(SANITIZE)$(if $(FUZZER),$(comma)fuzzer-no-link) -fno-sanitize-recover=all
else
# glibc knows level 3; clang 14 can count on level 2 only.
HARDEN   += -D_FORTIFY_SOURCE=$(if $(IS_CLANG),2,3)
endif

BASE_CPPFLAGS := -D_GNU_SOURCE -I. -Ireconciler
# Builds for tests obey TRUEUP_TRACE and TRUEUP_FAULT in the environment (drivers/fault.h).
ifneq ($(FAULTS)$(SANITIZE),)
BASE_CPPFLAGS += -DTRUEUP_FAULTS
endif
BASE_CFLAGS    = -std=gnu17 $(OPTIMIZE) $(WARNINGS) $(HARDEN) $(SAN) -ffunction-sections \
	-fdata-sections -ffile-prefix-map=$(ROOT)/= $(PKG_CFLAGS)
BASE_LDFLAGS   = $(HARDEN_LD) $(SAN) -Wl,--as-needed -Wl,--gc-sections

COMPILER = $(if $(CCACHE),ccache )$(CC)
COMPILE  = $(COMPILER) $(BASE_CPPFLAGS) $(CPPFLAGS) $(BASE_CFLAGS) $(CFLAGS) -MMD -MP
LINK     = $(CC) $(BASE_CFLAGS) $(CFLAGS) $(BASE_LDFLAGS) $(LDFLAGS)

# ---------------------------------------------------------------- files
SOURCES := $(sort $(shell find reconciler schema drivers -name '*.c' 2>/dev/null))
MAIN    := reconciler/main.c
OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(MAIN),$(SOURCES)))
LIB     := $(BUILD)/libtrueup.a
PROGRAM := $(BUILD)/trueup

# A part of the tests is a folder; its tests are the files test_*.c (programs) and test_*.sh.
# What tests share stands in tests/support and tests/fake.
SUPPORT_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/support/*.c tests/fake/*.c)))
SUPPORT_LIB     := $(BUILD)/libsupport.a
test_programs = $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/$(1)/test_*.c)))
test_scripts  = $(sort $(wildcard tests/$(1)/test_*.sh))
PARTS         := unit golden flow
ALL_PROGRAMS  := $(foreach part,$(PARTS) meta fault,$(call test_programs,$(part)))
FUZZ_TARGETS  := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_REPLAYS  := $(FUZZ_TARGETS:%=$(BUILD)/tests/fuzz/%)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:

# ---------------------------------------------------------------- packages
# While it installs, policy-rc.d keeps Debian from starting the servers that tests bring their own
# configuration for (nginx, sshd, engines); one that is there already is left alone.
define install-quietly
	policy=/usr/sbin/policy-rc.d; \
	if [ ! -e $$policy ]; then \
		trap "rm -f $$policy" EXIT; \
		printf "#!/bin/sh\nexit 101\n" >$$policy; chmod 755 $$policy; \
	fi; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null 2>&1 || true; \
	apt-get -qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$$@" >/dev/null
endef

# $(call ensure,PACKAGES): installs those that are missing, or says how to, and fails.
define ensure
@missing=; if command -v dpkg-query >/dev/null; then for p in $(1); do \
	dpkg-query -W -f='$${db:Status-Status} $${Provides}\n' $$p 2>/dev/null | grep -q '^installed' || \
	missing="$$missing $$p"; done; fi; \
if [ -n "$$missing" ]; then \
	if [ "$$(id -u)" = 0 ]; then as=; elif sudo -n true 2>/dev/null; then as='sudo -n'; else \
		echo "Missing packages. Run this, then try again:" >&2; \
		echo "  apt-get install -y --no-install-recommends$$missing" >&2; exit 1; fi; \
	echo "  INSTALL $$missing"; \
	$$as sh -c '$(install-quietly)' sh $$missing || exit 1; \
fi
endef

# Written once: makes sure that the libraries are there, then remembers how to use them.
NEEDS_NO_CONFIG := clean help format deps uninstall
ifneq ($(filter-out $(NEEDS_NO_CONFIG),$(or $(MAKECMDGOALS),all)),)
include $(BUILD)/config.mk
endif

$(BUILD)/config.mk: Makefile
	@mkdir -p $(BUILD)
	$(call ensure,$(PACKAGES_BUILD) $(if $(IS_CLANG),clang))
	@{ echo "PKG_CFLAGS := $$(pkg-config --cflags $(PKGS) $(PKGS_LOADED))" && \
	   echo "PKG_LIBS := $$(pkg-config --libs $(PKGS)) -lhttp_parser"; } >$@.new && mv $@.new $@

$(BUILD)/.packages-test: Makefile
	$(call ensure,$(PACKAGES_TEST))
	@mkdir -p $(BUILD) && touch $@

.PHONY: deps
deps: ## install every Debian package that building, testing and linting need
	$(call ensure,$(PACKAGES_BUILD) $(PACKAGES_TEST) $(PACKAGES_LINT))

# ---------------------------------------------------------------- building
.PHONY: all
all: $(PROGRAM) ## build the program

# Changes when the flags change, so that everything is built again then and only then.
FLAGS_TEXT = $(COMPILE) | $(LINK) $(PKG_LIBS)
.PHONY: force
$(BUILD)/.flags: force
	@mkdir -p $(BUILD)
	@echo '$(FLAGS_TEXT)' | cmp -s - $@ || echo '$(FLAGS_TEXT)' >$@

DESCRIBE := $(shell git describe --always --dirty --abbrev=10 --exclude='*' 2>/dev/null)
VERSION_TEXT := $(VERSION)$(if $(DESCRIBE), ($(DESCRIBE)))
$(BUILD)/.version: force
	@mkdir -p $(BUILD)
	@echo '$(VERSION_TEXT)' | cmp -s - $@ || echo '$(VERSION_TEXT)' >$@
$(BUILD)/reconciler/base/version.o: CPPFLAGS += -DTRUEUP_VERSION='"$(VERSION_TEXT)"'
$(BUILD)/reconciler/base/version.o: $(BUILD)/.version

$(BUILD)/%.o: %.c $(BUILD)/.flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE) -c -o $@ $<

$(LIB): $(OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(SUPPORT_LIB): $(SUPPORT_OBJECTS)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(PROGRAM): $(BUILD)/reconciler/main.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(PKG_LIBS)

# Programs named *_oom make allocations fail (tests/support/oom.h).
LINK_OOM := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray,--wrap=vasprintf,--wrap=__vasprintf_chk

$(ALL_PROGRAMS): $(BUILD)/%: $(BUILD)/%.o $(SUPPORT_LIB) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(LINK) $(if $(filter %_oom,$@),$(LINK_OOM)) -o $@ $^ $(PKG_LIBS) -lcmocka

# What scripts of tests need besides the program.
TOOLS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/torture/*.c tests/bench/*.c))
$(TOOLS): $(BUILD)/%: $(BUILD)/%.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $(filter %.o,$^) $(LIB) $(PKG_LIBS)

$(BUILD)/tests/bench/bomb: $(BUILD)/tests/support/bombs.o

# A fuzz target is linked with libFuzzer (FUZZER=1) or with a plain main() that replays a corpus.
FUZZ_MAIN := $(if $(FUZZER),,$(BUILD)/tests/fuzz/replay.o)
$(FUZZ_REPLAYS): $(BUILD)/%: $(BUILD)/%.o $(FUZZ_MAIN) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(LINK) $(if $(FUZZER),-fsanitize=fuzzer) -o $@ $^ $(PKG_LIBS)

# Objects of tests wait for the packages of the tests.
$(ALL_PROGRAMS:%=%.o) $(SUPPORT_OBJECTS) $(FUZZ_REPLAYS:%=%.o): | $(BUILD)/.packages-test

.PRECIOUS: $(BUILD)/%.o
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# ---------------------------------------------------------------- testing
RUN := tests/run.sh -j $(JOBS)
# Tests of the docker driver share engines that are up for as long as the run.
RUN_WITH_ENGINES := tests/support/engines.sh $(RUN)
part_tests = $(call test_programs,$(1)) $(call test_scripts,$(1))

.PHONY: tests check check-unit check-golden check-flow check-meta check-fuzz
tests: $(PROGRAM) $(ALL_PROGRAMS) $(TOOLS) $(FUZZ_REPLAYS)

check-unit: $(call test_programs,unit) ## C tests, one program for each module
	@$(RUN_WITH_ENGINES) BUILD=$(BUILD) $(call part_tests,unit)
check-golden: $(PROGRAM) $(call test_programs,golden) ## desired + observed -> expected plan, as data
	@$(RUN) BUILD=$(BUILD) $(call part_tests,golden)
check-flow: $(PROGRAM) $(TOOLS) $(call test_programs,flow) ## the real binary against real repositories
	@$(RUN_WITH_ENGINES) BUILD=$(BUILD) $(call part_tests,flow)
check-meta: $(PROGRAM) $(call test_programs,meta) ## the house rules
	@$(RUN) BUILD=$(BUILD) $(call part_tests,meta)
check-fuzz: $(FUZZ_REPLAYS) ## replay of the fuzz corpora
	@$(RUN) BUILD=$(BUILD) $(FUZZ_REPLAYS)

# Everything once, then everything but meta again under the sanitizers, in one count.
SAN_BUILD := build-san
san_path = $(patsubst $(BUILD)/%,$(SAN_BUILD)/%,$(1))
check: | $(BUILD)/.packages-test ## every test; ends with "N passed, N failed, N skipped"
	@+$(MAKE) --no-print-directory tests
	@+$(MAKE) --no-print-directory tests SANITIZE=address,undefined BUILD=$(SAN_BUILD)
	@$(RUN_WITH_ENGINES) BUILD=$(BUILD) $(foreach part,$(PARTS) meta,$(call part_tests,$(part))) $(FUZZ_REPLAYS) \
		BUILD=$(SAN_BUILD) $(foreach part,$(PARTS),$(call san_path,$(call part_tests,$(part)))) \
		$(call san_path,$(FUZZ_REPLAYS))

.PHONY: fuzz bench torture demo
fuzz: ## libFuzzer on every target, FUZZ_TIME seconds each (needs clang)
	$(call ensure,clang)
	@+$(MAKE) --no-print-directory fuzz-build CC=clang FUZZER=1 SANITIZE=address,undefined BUILD=build-fuzz
	@for target in $(FUZZ_TARGETS); do corpus=tests/fuzz/corpus/$${target#fuzz_}; \
		mkdir -p $$corpus build-fuzz/found/$$target; echo "$$target: $(FUZZ_TIME) s"; \
		build-fuzz/tests/fuzz/$$target -max_total_time=$(FUZZ_TIME) -print_final_stats=1 \
			-artifact_prefix=build-fuzz/found/$$target/crash- \
			build-fuzz/found/$$target $$corpus || exit 1; done
.PHONY: fuzz-build
fuzz-build: $(FUZZ_REPLAYS)
bench: $(PROGRAM) $(TOOLS) | $(BUILD)/.packages-test ## figures, as a table and as JSON
	@BUILD=$(BUILD) tests/bench/run.sh
torture: $(PROGRAM) $(TOOLS) | $(BUILD)/.packages-test ## kill -9 at every write, byte flips; takes minutes
	@BUILD=$(BUILD) tests/torture/run.sh
demo: $(PROGRAM) | $(BUILD)/.packages-test ## push, upgrade, revert, repair; KEEP=1 leaves it running; DRIVER=docker: on an engine
	@BUILD=$(BUILD) KEEP=$(KEEP) $(if $(filter docker,$(DRIVER)),tests/support/engines.sh \
		examples/demo_docker.sh,examples/demo.sh)

# ---------------------------------------------------------------- installing
SHARE := reconciler/share
install_as = install -D -m 0644 $(1) $(DESTDIR)$(2)
# The drop-in is for machines that want it: an example, not installed as a unit.
DOCUMENTS := $(wildcard $(SHARE)/reference/*) $(SHARE)/systemd/trueup-host.conf LICENSE
INSTALLED := bin/trueup $(patsubst $(SHARE)/man/%,share/man/man1/%,$(wildcard $(SHARE)/man/*.1)) \
	share/bash-completion/completions/trueup share/zsh/vendor-completions/_trueup \
	share/fish/vendor_completions.d/trueup.fish \
	$(patsubst $(SHARE)/systemd/%,lib/systemd/system/%,$(wildcard $(SHARE)/systemd/*.service)) \
	$(addprefix share/doc/trueup/,$(notdir $(DOCUMENTS)))

.PHONY: install uninstall
install: $(PROGRAM) ## PREFIX=/usr/local DESTDIR=
	install -D -m 0755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/trueup
	@set -e; for f in $(wildcard $(SHARE)/man/*.1); do \
		$(call install_as,$$f,$(PREFIX)/share/man/man1/$${f##*/}); done
	@set -e; cd $(SHARE)/completions 2>/dev/null || exit 0; \
	$(call install_as,trueup.bash,$(PREFIX)/share/bash-completion/completions/trueup); \
	$(call install_as,trueup.zsh,$(PREFIX)/share/zsh/vendor-completions/_trueup); \
	$(call install_as,trueup.fish,$(PREFIX)/share/fish/vendor_completions.d/trueup.fish)
	@set -e; for f in $(wildcard $(SHARE)/systemd/*.service); do \
		to=$(DESTDIR)$(PREFIX)/lib/systemd/system/$${f##*/}; mkdir -p $${to%/*}; \
		sed 's|@BINDIR@|$(PREFIX)/bin|g' $$f >$$to; chmod 0644 $$to; done
	@set -e; for f in $(DOCUMENTS); do \
		$(call install_as,$$f,$(PREFIX)/share/doc/trueup/$${f##*/}); done
uninstall: ## removes what install put there
	rm -f $(INSTALLED:%=$(DESTDIR)$(PREFIX)/%)
	-@rmdir $(DESTDIR)$(PREFIX)/share/doc/trueup 2>/dev/null

# ---------------------------------------------------------------- keeping house
ALL_C := $(shell find reconciler schema drivers tests -name '*.[ch]' 2>/dev/null)

.PHONY: clean format generated lint help
generated: $(PROGRAM) ## writes the generated files anew (tests/meta/generated.txt)
	@TRUEUP=$(abspath $(PROGRAM)) tests/meta/generated.sh .
clean: ## removes all build folders
	rm -rf build build-*
format: ## clang-format on every C file
	clang-format -i $(ALL_C)
# cppcheck does not see the headers of the libraries, so it cannot know what is initialised; the
# compilers and clang's analyzer do. They also know that NULL, which ends the arguments of log_event,
# is a pointer here.
lint: $(BUILD)/config.mk ## clang-tidy, cppcheck and gcc -fanalyzer
	$(call ensure,$(PACKAGES_LINT))
	$(call say,LINT,cppcheck)
	$(Q)cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--library=.cppcheck.cfg --suppress=missingIncludeSystem --suppress=uninitvar \
		--suppress=ctuuninitvar --suppress=varFuncNullUB --error-exitcode=1 -j $(JOBS) -D_GNU_SOURCE -I. \
		-Ireconciler $(SOURCES)
	$(call say,LINT,clang-tidy)
	$(Q)printf '%s\n' $(SOURCES) | xargs -P $(JOBS) -n 8 sh -c 'clang-tidy --quiet "$$@" -- \
		-std=gnu17 $(BASE_CPPFLAGS) $(PKG_CFLAGS) -DTRUEUP_VERSION=\"\" 2>/dev/null' sh
	+$(MAKE) --no-print-directory all BUILD=build-analyzer CC=gcc CFLAGS=-fanalyzer
help:
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 18
	@echo; echo '  V=1 shows commands, DEVELOPER=1 warns more, SANITIZE=address,undefined, CC=clang,'
	@echo '  FAULTS=1 obeys TRUEUP_FAULT, CCACHE=1, BUILD=folder, JOBS=n, PREFIX, DESTDIR,'
	@echo '  FUZZ_TIME=seconds'
