# Makefile - what can be made. The sources are listed in sources.mk, each with a phrase; build.mk has the rules.
#
#   make                    the host command ./quire, and the kernel of the default layout
#   make run                real programs, each in a sandbox, then a shell on this terminal
#   make console            the kernel's own console on this terminal
#   make LAYOUT=name ...    another document of layouts/, or any file: LAYOUT=mine.md
#   make help               everything else
#
# All output goes to $(O)/; what belongs to one layout to $(O)/NAME/. ./quire is a link into build/.

O         ?= build
LAYOUT    ?= quire
LAYOUTS    = $(filter-out quire,$(patsubst layouts/%/layout.md,%,$(wildcard layouts/*/layout.md))) quire
CHECKED   ?= 0
OPTIMISE  ?= -O2 -g
# Most of what sanitized host tests cost is their compilation. For a debugger that knows variables: TESTED='-O0 -g'
TESTED    ?= -Og -g1 -Wno-maybe-uninitialized
MEMORY    ?= 64
APPEND    ?=
FUZZ_SECONDS ?= 5
RELEASES  ?= bookworm trixie

# One name for one file: a build directory inside the tree is named from here, however it was given.
override O := $(subst $(CURDIR)/,,$(abspath $(O)))

.DEFAULT_GOAL = all
include sources.mk
include build.mk
include install.mk
include tests/calls/rules.mk
include tests/mixed/rules.mk
include tests/documents/rules.mk
include tests/mutations/rules.mk
include tests/claims/rules.mk

# ---- Goals ----------------------------------------------------------------------------

.PHONY: documents-program documents torture calls-programs fuzz-calls fuzz-differ traces bombs mixed-program nightly mutations \
        mutant-parts mutants coverage
.PHONY: all library kernel ready run ready-console console image ready-image run-image iso run-iso web run-web \
        test-web install uninstall package claims claims-on-host figures test bench compare growth jobs swapping fuzz \
        tool-tests machine-tests fuzz-programs programs test-machines test-fresh clean distclean help setup FORCE
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

all: quire library kernel               ## ./quire and the kernel of LAYOUT (default: quire)
library: $(O)/libquire.so               ## libquire.so: a sealed program from a program of one's own
kernel: $(B)/kernel.elf $(B)/kernel-pvh.elf $(run_kernel) ## the kernel only; CHECKED=1 adds the deep assertions

# What ends on a terminal builds in a make of its own: of two in one tree the second waits for the first one's build,
# but not for its terminal.
build_first = +@mkdir -p $(O) && flock -o $(O)/lock $(MAKE) --no-print-directory

ready: quire kernel $(O)/programs/programs.done | $(O)/setup-run

run:                                    ## real programs, each in a sandbox; then a shell
	$(build_first) ready
	@QUIRE_BUILD='$(abspath $(O))' sh tools/demonstration $(O)/host/quire $(O)/programs $(name)

ready-console: kernel | $(O)/setup-run

console:                                ## the kernel's own console; leave with Ctrl-a x. MEMORY=MiB, APPEND=words
	$(build_first) ready-console
	@echo 'The console of $(name): `help` lists its commands; Ctrl-a, then x, leaves it.'
	@$(QEMU) -accel tcg -m $(MEMORY) -display none -no-reboot -nodefaults -device isa-debug-exit,iobase=0xf4 \
	    -serial mon:stdio -kernel $(B)/kernel.elf -append "$(APPEND)" || test $$(($$? & 1)) -eq 1

test: | $(O)/setup-test                 ## everything that can be checked; ONLY=word, FAILED=1, LIST=1
	@tests/run --build $(O) --layouts "$(LAYOUTS)" --fuzz-seconds $(FUZZ_SECONDS) $(if $(FAILED),--failed) \
	    $(if $(LIST),--list) $(ONLY)

fuzz: $(fuzzers)                        ## feed the parsers of outside data, FUZZ_SECONDS each
	@for program in $^; do sh tests/fuzz/run $$program $(FUZZ_SECONDS) || exit 1; done

# Seconds, seed and layout of the fuzzer of system calls: docs/fuzzing.md.
SECONDS ?= 60
SEED    ?= 0
fuzz-calls: quire calls-programs        ## attack the checked kernel of LAYOUT from inside: SECONDS=60, SEED=number
	@$(MAKE) --no-print-directory CHECKED=1 kernel
	@/usr/bin/python3 tests/calls/fuzz.py --build $(O) --layout $(name)-checked --seconds $(SECONDS) --seed $(SEED)

N ?= 200
fuzz-differ: quire kernel calls-programs | $(O)/programs/kernel.done ## the same calls here and on Linux: N=seeds, SEED=
	@/usr/bin/python3 tests/calls/differ.py --build $(O) --layout $(name) --count $(N) --seed $(SEED)

traces: quire kernel calls-programs | $(O)/programs/kernel.done ## random memory here and on Linux, pages out: N= SEED=
	@$(MAKE) --no-print-directory CHECKED=1 kernel
	@/usr/bin/python3 tests/calls/traces.py --build $(O) --layout $(name) --count $(N) --seed $(SEED)

documents: quire documents-program      ## documents changed by chance: obeyed, or refused in words: N=200, SEED=
	@/usr/bin/python3 tests/documents/documents.py --build $(O) --hand
	@/usr/bin/python3 tests/documents/documents.py --build $(O) --count $(N) --seed $(SEED) --checked 20

CLAIM ?=
mutations: quire                        ## each claim made untrue, and noticed by its probe alone: LAYOUT= CLAIM=
	@/usr/bin/python3 tests/mutations/mutations.py --build $(O) \
	    $(if $(filter command,$(origin LAYOUT)),--layout $(LAYOUT)) $(if $(CLAIM),--claim $(CLAIM))

# Tests that bite: docs/mutants.md. ROOM is memory, process or layout; without it all three.
mutants:                                ## one changed line at a time; the host tests must notice: N=100 SEED= ROOM= CHANGES=
	@/usr/bin/python3 tests/mutants/mutants.py --build $(O) --layout $(name) --room $(or $(ROOM),all) \
	    --count $(if $(filter command,$(firstword $(origin N))),$(N),100) --seed "$(filter-out 0,$(SEED))" \
	    $(if $(CHANGES),--changes $(CHANGES))

coverage:                               ## lines and branches that the host tests go through, by file: ROOM=
	@/usr/bin/python3 tests/mutants/coverage.py --build $(O) --room $(or $(ROOM),all) --lines \
	    --layouts "$(if $(filter command,$(firstword $(origin LAYOUTS))),$(LAYOUTS),$(name))"

torture: quire calls-programs           ## ring, traces, failing calls while pages leave: LAYOUTS= SECONDS= ONLY=evict
	@for layout in $(LAYOUTS); do $(MAKE) --no-print-directory LAYOUT=$$layout CHECKED=1 kernel || exit 1; done
	@/usr/bin/python3 tests/torture/torture.py --build $(O) --layouts "$(LAYOUTS)" --seed $(SEED) \
	    --seconds $(if $(filter command,$(origin SECONDS)),$(SECONDS),0) --only "$(ONLY)"

bombs: quire kernel | $(O)/programs/programs.done ## all there is of one thing, for each, in 32 MiB
	@QUIRE_BOMBS=$(name) QUIRE_BUILD=$(abspath $(O)) QUIRE_LAYOUTS=$(name) \
	    /usr/bin/python3 -m pytest -p no:cacheprovider -q -rP tests/system/test_bombs.py -k test_all

# Minutes and seconds between audits: docs/fuzzing.md.
MINUTES     ?= 10
AUDIT_EVERY ?= 10
nightly: quire mixed-program            ## a mixed load, audited: MINUTES=10 AUDIT_EVERY=10 SEED=
	@$(MAKE) --no-print-directory CHECKED=1 kernel
	@/usr/bin/python3 tests/mixed/mixed.py --build $(O) --layout $(name)-checked --seconds $$(($(MINUTES) * 60)) \
	    --every $(AUDIT_EVERY) --seed $(SEED)

bench: $(bench_programs) kernel | $(O)/setup-test ## costs: host nanoseconds, guest instructions, against Linux
	@for program in $(bench_programs); do $$program || exit 1; done
	@bench/instructions.py $(B)/kernel.elf
	@$(MAKE) --no-print-directory compare

# What operations cost a program: the same static program under Quire and under Debian's kernel.
compare: quire kernel $(guest_programs) $(O)/programs/kernel.done ## costs here and on Linux; PROFILE=operation, SIZES=128,512
ifdef PROFILE
	@/usr/bin/python3 bench/profile.py --build $(O) --layout $(name) $(PROFILE)
else ifdef SIZES
	@/usr/bin/python3 bench/compare.py --build $(O) --layout $(name) --sizes $(SIZES)
else
	@/usr/bin/python3 bench/compare.py --build $(O)
	@/usr/bin/python3 bench/startup.py --build $(O)
endif

growth: quire kernel $(guest_programs) $(O)/programs/kernel.done ## what one more costs among thousands, here and on Linux
	@/usr/bin/python3 bench/growth.py --build $(O) --layout $(name)

# Whole jobs of real programs, from packages of their own. JOBS="shell git": only these.
jobs: $(O)/guest/job $(O)/host/executed.so $(O)/programs/kernel.done $(O)/programs/jobs.done
jobs: quire kernel $(O)/programs/programs.done ## real jobs here and on Linux: JOBS=name MEASURE=memory PROFILE=1
	@/usr/bin/python3 bench/jobs.py --build $(O) --layout $(name) $(if $(filter memory,$(MEASURE)),--memory) \
	    $(if $(PROFILE),--profile) $(JOBS)

# Programs that do not fit into memory.
swapping: $(O)/guest/job $(O)/guest/pages $(O)/host/executed.so $(O)/programs/modules.done
swapping: quire kernel $(O)/programs/programs.done ## three times RAM, here and on Linux: JOBS=, ON=packed|disk
	@/usr/bin/python3 bench/swapping.py --build $(O) --layout $(name) $(if $(ON),--on $(ON)) \
	    $(if $(PROFILE),--profile) $(JOBS)

# Figures of every layout, for a note; nothing is written but under $(O)/.
figures: quire $(guest_programs) $(O)/programs/kernel.done $(O)/quire.iso ## all figures of all layouts, as Markdown
	@bench/figures.py --build $(O) --layouts "$(LAYOUTS)"

claims: quire                           ## docs/claims.md anew: every layout booted, every claim looked at
	@for layout in $(LAYOUTS); do $(MAKE) --no-print-directory LAYOUT=$$layout kernel || exit 1; done
	@tools/claims-table --build $(O) --layouts "$(LAYOUTS)" --write docs/claims.md

claims-on-host: $(B)/claims-on-host     ## LAYOUT's claims on the machine in plain memory: build/NAME/claims-on-host
	@$<

# A layout's images; a checked kernel's are its own.
images = $(O)/quire-$(notdir $(B))

image: quire kernel | $(O)/programs/programs.done ## disk and floppy that boot LAYOUT to a shell
	@$(O)/host/quire image --layout $(notdir $(B)) --append "$(APPEND)" $(images).img
	@$(O)/host/quire image --layout $(notdir $(B)) --append "$(APPEND)" --floppy $(images)-floppy.img

ready-image: image | $(O)/setup-run

run-image:                              ## boot the disk, its shell on this terminal; leave with `exit`, or Ctrl-a x
	$(build_first) ready-image
	$(QEMU) -accel tcg -m $(MEMORY) -display none -no-reboot -nodefaults -device isa-debug-exit,iobase=0xf4 \
	    -serial mon:stdio -drive file=$(images).img,format=raw,if=ide || test $$(($$? & 1)) -eq 1

iso: $(O)/quire.iso                     ## a CD image whose GRUB menu boots every layout to a shell, or to its console

run-iso: $(O)/quire.iso | $(O)/setup-run ## boot the CD image
	$(QEMU) -accel tcg -m $(MEMORY) -display none -no-reboot -nodefaults -device isa-debug-exit,iobase=0xf4 \
	    -serial mon:stdio -cdrom $< || test $$(($$? & 1)) -eq 1

web: quire $(web_modules) $(O)/web-packages/done $(O)/programs/programs.done ## a page that boots them in a browser
	@for layout in $(LAYOUTS); do for checked in 0 1; do \
	    $(MAKE) --no-print-directory LAYOUT=$$layout CHECKED=$$checked kernel || exit 1; done; done
	@$(O)/host/quire image --archive $(O)/shell.cpio
	@sh tools/web $(O) "$(LAYOUTS)"

run-web: web                            ## the page, served on this machine's port 8000
	@cd $(O)/web && python3 -m http.server 8000

test-web: web | $(O)/setup-web          ## the page as a whole, in a browser: every button, every lesson; a few minutes
	@QUIRE_BUILD=$(abspath $(O)) QUIRE_LAYOUTS="$(LAYOUTS)" PYTHONPATH=tests/system \
	    /usr/bin/python3 -m pytest -p no:cacheprovider -o 'markers=needs: for tests/run' \
	    -q tests/system/test_web.py tests/web

programs: $(O)/programs/programs.done   ## real i386 programs from Debian's packages, for ./quire run

test-machines: | $(O)/setup-machines    ## second opinions: each layout's claims under Bochs, from disk and floppy
	@tests/run --build $(O) --layouts "$(LAYOUTS)" bochs

test-fresh: | $(O)/setup-fresh          ## `make run` on bare Debian systems; as root, 10 minutes each; TESTS=1: `make test`, too
	@tests/fresh --build $(O) $(if $(TESTS),--tests) $(RELEASES)

clean:                                  ## remove what was built; the fetched programs stay
	@[ ! -d $(O) ] || find $(O) -mindepth 1 -maxdepth 1 ! -name programs -exec rm -rf {} +
	@rm -f quire

distclean:                              ## remove $(O)/ and ./quire, fetched programs and all
	rm -rf $(O) quire

help:                                   ## this list
	@awk -F ':.*##' '/^[a-z-]+:.*##/ { printf "  make %-14s %s\n", $$1, $$2 }' Makefile install.mk
	@echo
	@echo 'The quick loop: one file of the memory manager and its test; one system test under one layout:'
	@echo '  make $(O)/quire/tests/test_fault && $(O)/quire/tests/test_fault'
	@echo '  make test ONLY=shell LAYOUTS=quire         and then: make test FAILED=1 LAYOUTS=quire'
	@echo 'Another document, from the edit to its console:'
	@echo '  make console LAYOUT=mine.md'

# A product may be asked for by its whole path as well.
ifeq ($(filter /%,$(O)),)
ifeq ($(words $(CURDIR)),1)
$(CURDIR)/$(O)/%: $(O)/% ;
endif
endif

print-%:                                # the value of a variable, for scripts and tests: make print-by_layout
	@echo '$($*)'

setup:                                  ## install every Debian package that building and testing need
	sh tools/setup test
