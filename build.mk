# build.mk - how the sources of sources.mk become the host command, kernels, tests and images.

# ---- Names ----------------------------------------------------------------------------

ifneq ($(words $(LAYOUT)) $(words $(O)),1 1)
  $(error make takes a space for the end of a name: LAYOUT and O want paths without one)
endif
# Anything with a slash or a dot in it is a file, as for `quire layout`; else a folder of layouts/ with a layout.md in it,
# or a bare document in layouts/. The layout's name is the folder's or the file's.
named    := $(firstword $(wildcard layouts/$(LAYOUT)/layout.md) layouts/$(LAYOUT).md)
document := $(if $(findstring /,$(LAYOUT))$(findstring .,$(LAYOUT)),$(LAYOUT),$(named))
name     := $(if $(filter %/layout.md,$(document)),$(notdir $(patsubst %/layout.md,%,$(document))),$(basename $(notdir $(document))))
ifeq ($(wildcard $(document)),)
  $(error there is no layout document $(document); those of layouts/ are: $(LAYOUTS))
endif
ifneq ($(filter $(name),host checked tests fuzz logs bios guest programs),)
  $(error a layout cannot be called $(name): $(O)/$(name) has another use)
endif
ifeq ($(CHECKED),1)
  B := $(O)/$(name)-checked
else
  B := $(O)/$(name)
endif

has_start := $(shell grep -i '^| *start address ' $(document))
objects  := $(patsubst %,$(B)/kernel/%.o,$(kernel)) $(B)/layout/layout.o $(B)/layout/tables.o \
            $(B)/boot.o $(if $(has_start),$(B)/user/programs.o)
generated := $(addprefix $(B)/layout/,layout.h layout.c kernel.ld tables.S)

CC       = gcc
ifneq ($(CC),gcc)
  ifneq ($(findstring clang,$(shell $(CC) --version 2> /dev/null)),)
    $(error Quire is compiled by gcc: its kernel needs options that clang does not have, and CC=$(CC) is clang)
  endif
endif
FUZZ_CC  = clang
AR       = ar
NM       = nm
QEMU     = qemu-system-i386

warnings = -Wall -Wextra -Werror
includes = -Ikernel -I. -I$(B)/layout
# A function that has a frame sets it up first, and calls are calls: a backtrace then misses only the
# caller of a function so small that it has none. Address 0 is an address like others: reading it
# faults, and is not for the compiler to reason about. Kernel stacks are small and nothing on them wants 16 bytes'
# alignment, which would pad each frame.
KERNEL_FLAGS = -m32 -march=i686 -std=gnu11 -ffreestanding -fno-pic -fno-pie -fno-stack-protector \
               -fno-omit-frame-pointer -fno-shrink-wrap -fno-optimize-sibling-calls \
               -fno-delete-null-pointer-checks \
               -mno-sse -mno-mmx -mno-80387 -mpreferred-stack-boundary=2 -fno-asynchronous-unwind-tables \
               $(OPTIMISE) $(warnings) $(if $(filter 1,$(CHECKED)),-DCHECKED) -Iarch/i386 $(includes)
LINK_FLAGS   = -m32 -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack \
               -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments
# Before the kernel looks at the processor: an i386 is enough, and it is to be small.
BIOS_FLAGS   = -m32 -march=i386 -std=gnu11 -ffreestanding -fno-pic -fno-pie -fno-stack-protector \
               -fno-tree-loop-distribute-patterns -fno-delete-null-pointer-checks -fno-asynchronous-unwind-tables \
               -mno-sse -mno-mmx -mno-80387 -Os -g $(warnings) -Iarch/i386 -Ikernel -I.
# boot/start.S: the header's first word.
AS_MULTIBOOT = -Wl,--defsym=boot_multiboot_magic=0x1BADB002
AS_PVH       = -Wl,--defsym=boot_multiboot_magic=0
TOOL_FLAGS   = -std=gnu11 -D_GNU_SOURCE -O2 -g $(warnings) -Itools
SANITIZERS   = -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_FLAGS   = -m64 -std=gnu11 -D_GNU_SOURCE -g $(warnings) -fno-omit-frame-pointer -fno-pie -pthread \
               -Iarch/host $(includes)
TEST_FLAGS   = $(HOST_FLAGS) -O1 $(SANITIZERS) -DCHECKED
FUZZING      = -fsanitize=fuzzer $(SANITIZERS)
FUZZ_FLAGS   = $(HOST_FLAGS) -O1 $(FUZZING) -DCHECKED
BENCH_FLAGS  = $(HOST_FLAGS) -O2
# Programs that are built into the kernel.
FLAT_FLAGS   = -m32 -march=i686 -std=gnu11 -ffreestanding -fno-pic -fno-pie -fno-stack-protector -mno-sse -O2 \
               -fno-asynchronous-unwind-tables -fno-delete-null-pointer-checks $(warnings) -I$(B)/layout
# A program for the guest that needs no C library.
GUEST_FLAGS  = -m32 -march=i686 -std=gnu11 -ffreestanding -fno-pic -fno-pie -fno-stack-protector -mno-sse -O2 \
               -fno-asynchronous-unwind-tables $(warnings) -nostdlib -static -no-pie -Wl,--build-id=none \
               -Wl,-z,noexecstack

# One short line for each step; V=1 shows the commands.
note = $(if $(V),,@printf '  %-9s %s\n' $(1) $(2);)

# ---- Set-up ----------------------------------------------------------------------------

# What a goal needs from Debian is looked at once for each build directory.
$(O)/setup-%: tools/setup
	@mkdir -p $(@D)
	@sh tools/setup $*
	@touch $@

# One after the other: two at once would fight for the lock of apt.
$(O)/setup-run: | $(O)/setup-build
$(O)/setup-iso: | $(O)/setup-run
$(O)/setup-test: | $(O)/setup-iso

# Fetched by an apt of its own: nothing is installed, and the machine's own apt is not changed.
$(O)/programs/%.done: tools/fetch-programs | $(O)/setup-run
	@sh tools/fetch-programs $(O)/programs $*
	@touch $@

# ---- The host command -----------------------------------------------------------------

host_command := $(O)/host/quire $(O)/bios/sector $(O)/bios/relocator

# A link, so that all output lies below $(O). Another build directory has no link, and neither have sources that nobody
# may write to.
ifeq ($(O),build)
quire: $(host_command)
	@ln -sfn $< $@ 2> /dev/null || true
else
.PHONY: quire
quire: $(host_command)
endif

# libarchive brings fifteen libraries that are not used here; loading them would take longer than all else
# that quire does before it starts QEMU, so it is linked in. Of elfutils there is no archive that can be linked any more.
# Where the sources are is asked by a command that lies elsewhere (tools/quire/home.c).
$(O)/host/quire: $(patsubst %.c,$(O)/host/%.o,$(command) $(drawing) $(compiler))
	$(call note,link,$@)$(CC) -o $@ $^ -Wl,-Bstatic -larchive -Wl,-Bdynamic -lelf -lz
	@echo '$(CURDIR)' > $(O)/sources

$(O)/host/%.o: %.c | $(O)/setup-build
	@mkdir -p $(@D)
	$(call note,compile,$<)$(CC) $(TOOL_FLAGS) -MMD -MP -c -o $@ $<

# ---- The way from a BIOS: flat bytes, found by ./quire image --------------------------------

$(O)/bios/%.o: % | $(O)/setup-build
	@mkdir -p $(@D)
	$(call note,compile,$<)$(CC) $(BIOS_FLAGS) -MMD -MP -c -o $@ $<

$(O)/bios/sector: $(patsubst %,$(O)/bios/%.o,$(sector))
	$(call note,link,$@)ld -m elf_i386 -Ttext=0x7C00 -e sector_start --oformat=binary -o $@ $<

$(O)/bios/relocator: $(patsubst %,$(O)/bios/%.o,$(relocator)) boot/bios/relocator.ld
	@ld -m elf_i386 --no-warn-rwx-segments -T boot/bios/relocator.ld -o $@.elf $(filter %.o,$^)
	$(call note,link,$@)objcopy -O binary -R .bss $@.elf $@

# ---- One layout: document -> sources -> kernel ----------------------------------------

# A document may be any file, so the name alone does not say whether this one was compiled;
# nor does an object say with which flags.
$(B)/document: FORCE
	@mkdir -p $(@D)
	@echo '$(abspath $(document))' | cmp -s - $@ || echo '$(abspath $(document))' > $@

$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(KERNEL_FLAGS) $(TEST_FLAGS)' | cmp -s - $@ || echo '$(KERNEL_FLAGS) $(TEST_FLAGS)' > $@

$(generated) &: $(document) $(B)/document $(O)/host/quire
	@mkdir -p $(B)/layout
	$(call note,layout,$(document))$(O)/host/quire layout compile $(document) -o $(B)/layout
	@touch $(generated)

# trap.c and trap.S are two halves of one thing, so an object keeps its source's whole name.
$(B)/kernel/%.o: % $(B)/flags | $(generated)
	@mkdir -p $(@D)
	$(call note,compile,$<)$(CC) $(KERNEL_FLAGS) $(OWN_FLAGS) -MMD -MP -c -o $@ $<

$(B)/layout/%.o: $(B)/layout/%.c
	$(call note,compile,$<)$(CC) $(KERNEL_FLAGS) -MMD -MP -c -o $@ $<

$(B)/layout/%.o: $(B)/layout/%.S
	$(call note,compile,$<)$(CC) $(KERNEL_FLAGS) -MMD -MP -c -o $@ $<

# Built-in programs: linked for the document's start address, and nothing but the bytes from there on. With a
# sanitizer's or the kernel's flags they could not stand alone, so they have their own.
$(B)/user/%.o: user/%.c $(B)/flags | $(generated)
	@mkdir -p $(@D)
	$(call note,compile,$<)$(CC) $(FLAT_FLAGS) -MMD -MP -c -o $@ $<

$(B)/user/%.o: user/%.S $(B)/flags | $(generated)
	@mkdir -p $(@D)
	$(call note,compile,$<)$(CC) $(FLAT_FLAGS) -MMD -MP -c -o $@ $<

$(B)/user/flat.ld: user/flat.ld.S $(B)/flags $(generated)
	@mkdir -p $(@D)
	@$(CC) -E -P -x assembler-with-cpp -I$(B)/layout -o $@ $<

# peek.S begins by itself; the others begin in start.S.
$(B)/user/peek.elf: $(B)/user/peek.o $(B)/user/flat.ld
	@ld -m elf_i386 --no-warn-rwx-segments -T $(B)/user/flat.ld -o $@ $<

$(B)/user/%.elf: $(B)/user/start.o $(B)/user/%.o $(B)/user/flat.ld
	@ld -m elf_i386 --no-warn-rwx-segments -T $(B)/user/flat.ld -o $@ $(filter %.o,$^)

$(B)/user/%.bin: $(B)/user/%.elf
	$(call note,program,$@)objcopy -O binary $< $@

$(B)/user/programs.o: user/programs.S $(addprefix $(B)/user/,$(addsuffix .bin,$(flat)))
	$(call note,compile,$<)$(CC) $(KERNEL_FLAGS) -Wa,-I$(B)/user -c -o $@ $<

# The compiler must not recognise a loop that is memcpy and turn it into a call of memcpy.
$(B)/kernel/kernel/base/string.c.o $(B)/boot.o: OWN_FLAGS = -fno-tree-loop-distribute-patterns

# What runs before paging is linked where it is loaded, so its sections get names of their own,
# and it must call nothing that is linked elsewhere: not even a memcpy that the compiler thought of.
$(B)/boot.o: $(patsubst %,$(B)/kernel/%.o,$(boot))
	@ld -m elf_i386 -r -o $@.new $^
	@$(NM) -u $@.new | grep -v ' image_' && { echo "$@: before paging, nothing outside boot/ is there" >&2; exit 1; } || true
	$(call note,boot,$@)objcopy --prefix-alloc-sections=.boot $@.new $@

# Linked twice: the names of all functions can only be listed once their addresses are known.
# The list lies behind all code, so it moves none; the second link proves it.
$(B)/symbols-0.S: tools/symbols.awk
	@mkdir -p $(@D)
	@awk -f tools/symbols.awk < /dev/null > $@

$(B)/kernel-0.elf: $(objects) $(B)/symbols-0.o $(B)/layout/kernel.ld
	@$(CC) $(LINK_FLAGS) $(AS_MULTIBOOT) -T $(B)/layout/kernel.ld -o $@ $(objects) $(B)/symbols-0.o

$(B)/symbols-1.S: $(B)/kernel-0.elf tools/symbols.awk
	@$(NM) -n $< | awk -f tools/symbols.awk > $@

$(B)/symbols-%.o: $(B)/symbols-%.S | $(O)/setup-build
	@$(CC) -m32 -c -o $@ $<

$(B)/kernel.elf: $(B)/kernel-0.elf $(B)/symbols-1.o
	$(call note,link,$@)$(CC) $(LINK_FLAGS) $(AS_MULTIBOOT) -T $(B)/layout/kernel.ld -o $@.new \
	    $(objects) $(B)/symbols-1.o
	@$(NM) -n $@.new | awk -f tools/symbols.awk | cmp - $(B)/symbols-1.S || \
	    { echo "$@: the second link moved code, or another make builds here at this moment; the names of a backtrace would be wrong" >&2; exit 1; }
	@mv $@.new $@

# For QEMU's small machine: without the Multiboot header, and without what only a debugger reads.
$(B)/kernel-pvh.elf: $(B)/kernel.elf
	$(call note,link,$@)$(CC) $(LINK_FLAGS) $(AS_PVH) -s -T $(B)/layout/kernel.ld -o $@ $(objects) $(B)/symbols-1.o

# ---- The CD image ---------------------------------------------------------------------

$(O)/quire.iso: quire FORCE | $(O)/setup-iso $(O)/programs/programs.done
	@for layout in $(LAYOUTS); do $(MAKE) --no-print-directory LAYOUT=$$layout kernel || exit 1; done
	@$(O)/host/quire image --archive $(O)/shell.cpio
	@sh tools/iso $@ $(LAYOUT) $(O)/shell.cpio $(foreach layout,$(LAYOUTS),$(O)/$(layout)/kernel.elf)

# ---- Host tests: the compiler's own, and the memory manager's under one layout --------

tool-tests: $(patsubst tests/host/%.c,$(O)/tests/%,$(tool_tests))
machine-tests: $(patsubst tests/host/%.c,$(B)/tests/%,$(machine_tests))

$(O)/checked/%.o: %.c | $(O)/setup-test
	@mkdir -p $(@D)
	$(call note,compile,$<)$(CC) $(TOOL_FLAGS) -O1 $(SANITIZERS) -MMD -MP -c -o $@ $<

$(O)/tests/%: $(O)/checked/tests/host/%.o $(patsubst %.c,$(O)/checked/%.o,$(compiler))
	@mkdir -p $(@D)
	$(call note,link,$@)$(CC) $(SANITIZERS) -o $@ $^ -lcmocka

$(B)/checked/%.o: %.c $(B)/flags | $(generated) $(O)/setup-test
	@mkdir -p $(@D)
	$(call note,compile,$<)$(CC) $(TEST_FLAGS) -MMD -MP -c -o $@ $<

# A test that makes a layout of its own out of the compiled document needs that under another name.
$(B)/layout/document.c: $(B)/layout/layout.c
	@sed 's/^const struct layout layout = /static const struct layout document = /' $< > $@

$(B)/checked/tests/host/test_firmware.o: $(B)/layout/document.c

$(B)/checked/layout.o: $(B)/layout/layout.c
	@mkdir -p $(@D)
	$(call note,compile,$<)$(CC) $(TEST_FLAGS) -MMD -MP -c -o $@ $<

$(B)/checked/machine.a: $(patsubst %.c,$(B)/checked/%.o,$(machine) layout.c)
	@rm -f $@ && $(AR) rcs $@ $^

$(B)/tests/%: $(B)/checked/tests/host/%.o $(B)/checked/machine.a
	@mkdir -p $(@D)
	$(call note,link,$@)$(CC) $(TEST_FLAGS) -no-pie -o $@ $^ -lcmocka

# ---- Fuzzing: libFuzzer, bounded ------------------------------------------------------

fuzzers = $(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(tool_fuzz)) $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(machine_fuzz))

fuzz-programs: $(fuzzers)

$(O)/fuzz/%.o: %.c | $(O)/setup-test
	@mkdir -p $(@D)
	$(call note,compile,$<)$(FUZZ_CC) $(TOOL_FLAGS) -O1 $(FUZZING) -MMD -MP -c -o $@ $<

$(O)/fuzz/%: $(O)/fuzz/tests/fuzz/%.o $(patsubst %.c,$(O)/fuzz/%.o,$(compiler) $(drawing))
	$(call note,link,$@)$(FUZZ_CC) $(FUZZING) -o $@ $^

$(B)/fuzz/%.o: %.c | $(generated) $(O)/setup-test
	@mkdir -p $(@D)
	$(call note,compile,$<)$(FUZZ_CC) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

$(B)/fuzz/layout.o: $(B)/layout/layout.c
	@mkdir -p $(@D)
	$(call note,compile,$<)$(FUZZ_CC) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

$(B)/fuzz/machine.a: $(patsubst %.c,$(B)/fuzz/%.o,$(machine) layout.c)
	@rm -f $@ && $(AR) rcs $@ $^

$(B)/fuzz/%: $(B)/fuzz/tests/fuzz/%.o $(B)/fuzz/machine.a
	$(call note,link,$@)$(FUZZ_CC) $(FUZZ_FLAGS) -no-pie -o $@ $^

# ---- Measurements: optimised, no sanitizers -------------------------------------------

guest_programs = $(addprefix $(O)/guest/,vmbench hello empty)

$(O)/guest/%: bench/guest/%.c | $(O)/setup-build
	@mkdir -p $(@D)
	$(call note,guest,$@)$(CC) $(GUEST_FLAGS) -o $@ $<

$(O)/guest/empty: bench/guest/empty.S | $(O)/setup-build
	@mkdir -p $(@D)
	$(call note,guest,$@)$(CC) $(GUEST_FLAGS) -Wl,-N,-e,start,--no-warn-rwx-segments \
	    -Wl,--section-start=.note.pvh=0x100000,-Ttext=0x100100 -o $@ $<

$(B)/bench/%.o: %.c | $(generated) $(O)/setup-test
	@mkdir -p $(@D)
	$(call note,compile,$<)$(CC) $(BENCH_FLAGS) -MMD -MP -c -o $@ $<

$(B)/bench/layout.o: $(B)/layout/layout.c
	@mkdir -p $(@D)
	$(call note,compile,$<)$(CC) $(BENCH_FLAGS) -MMD -MP -c -o $@ $<

$(B)/bench/machine.a: $(patsubst %.c,$(B)/bench/%.o,$(machine) layout.c)
	@rm -f $@ && $(AR) rcs $@ $^

$(B)/bench/%: $(B)/bench/bench/%.o $(B)/bench/machine.a
	$(call note,link,$@)$(CC) $(BENCH_FLAGS) -no-pie -o $@ $^

-include $(shell find $(O) -path $(O)/programs -prune -o -name '*.d' -type f -print 2>/dev/null)
