# build.mk - how the sources of sources.mk become the host command, kernels, tests and images.

# ---- Names ----------------------------------------------------------------------------

ifneq ($(words $(LAYOUT)) $(words $(O)),1 1)
  $(error make takes a space for the end of a name: LAYOUT and O want paths without one)
endif
# Anything with a slash or a dot in it is a file, as for `quire layout`; else a folder of layouts/ with a layout.md in
# it, or a bare document in layouts/. The layout's name is the folder's or the file's.
named    := $(firstword $(wildcard layouts/$(LAYOUT)/layout.md) layouts/$(LAYOUT).md)
document := $(if $(findstring /,$(LAYOUT))$(findstring .,$(LAYOUT)),$(LAYOUT),$(named))
called   := $(document:%/layout.md=%.md)
name     := $(basename $(notdir $(called)))
ifeq ($(wildcard $(document)),)
  $(error there is no layout document $(document); those of layouts/ are: $(LAYOUTS))
endif
# `quire new` (tools/quire/command_new.c) knows these names as well.
taken    := bios bochs calls documents durations font fresh fuzz growth guest host lock logs manual mixed mutants \
            mutations objects package programs sources stage tests vdso web web-modules web-packages setup-% %-checked
ifneq ($(if $(name),$(filter $(taken),$(name)),none),)
  $(error a layout cannot be called `$(name)`: $(O)/$(name) has another use)
endif
# One that ships has the folder of its name.
shipped  := $(firstword $(wildcard layouts/$(name)/layout.md layouts/$(name).md))
ifneq ($(if $(shipped),$(realpath $(shipped))),$(if $(shipped),$(realpath $(document))))
  $(error $(shipped) is called $(name) as well, and is built into $(O)/$(name): give $(document) another name)
endif
ifeq ($(CHECKED),1)
  B := $(O)/$(name)-checked
else
  B := $(O)/$(name)
endif

# What is made from the document: for checked kernels and for others the same.
L         := $(O)/$(name)/layout
generated := $(addprefix $(L)/,layout.h layout.c kernel.ld tables.S features)

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
includes = -Ikernel -I.
# Where a tree lies is written into no product: the same sources give the same bytes in any folder.
nowhere  = -ffile-prefix-map="$(abspath $(O))"=build -ffile-prefix-map="$(CURDIR)"=. \
           $(if $(filter-out build,$(O)),-ffile-prefix-map=$(O)=build)
# A function that has a frame sets it up first, and calls are calls: a backtrace then misses only the caller of a
# function so small that it has none. Address 0 is an address like others: reading it faults, and is not for the
# compiler to reason about. Kernel stacks are small and nothing on them wants 16 bytes' alignment, which would pad each
# frame. Nor is code padded: there is much of it, and little is a loop. What nobody refers to is left out by the linker
# (--gc-sections), function by function.
# The first three words of arguments travel in EAX, EDX and ECX (arch/i386/*.S knows).
# Of several ways to do a thing the i386's is taken, which has the fewest bytes and mostly the fewest instructions: for
# an i686 registers are kept by moves and not pushed, and no four jumps may lie in 16 bytes. A jump is dear, though.
# A number of 64 bits on the stack is no reason to align the frame: it is taken to be aligned.
KERNEL_FLAGS = -m32 -march=i686 -mtune=i386 -mbranch-cost=3 -mincoming-stack-boundary=3 -mregparm=3 \
               -std=gnu11 -ffreestanding -fno-pic -fno-pie -fno-stack-protector \
               -fno-omit-frame-pointer -fno-shrink-wrap -fno-optimize-sibling-calls \
               -fno-delete-null-pointer-checks \
               -mno-sse -mno-mmx -mno-80387 -mpreferred-stack-boundary=2 -fno-asynchronous-unwind-tables \
               -ffunction-sections -fdata-sections \
               -falign-functions=1 -falign-jumps=1 -falign-loops=1 -falign-labels=1 -malign-data=abi \
               $(OPTIMISE) $(nowhere) $(warnings) $(if $(filter 1,$(CHECKED)),-DCHECKED) \
               -Iarch/i386 -Ikernel/linux/i386 $(includes)
LINK_FLAGS   = -m32 -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack \
               -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments -Wl,--gc-sections
# Before the kernel looks at the processor: an i386 is enough, and it is to be small.
BIOS_FLAGS   = -m32 -march=i386 -std=gnu11 -ffreestanding -fno-pic -fno-pie -fno-stack-protector \
               -fno-tree-loop-distribute-patterns -fno-delete-null-pointer-checks -fno-asynchronous-unwind-tables \
               -mno-sse -mno-mmx -mno-80387 -Os -g $(nowhere) $(warnings) -Iarch/i386 -Ikernel -I.
# boot/start.S: the header's first words. GRUB is asked for a screen as well.
multiboot    = -Wl,--defsym=boot_multiboot_magic=$(1) -Wl,--defsym=boot_multiboot_wants=$(2) \
               -Wl,--defsym=boot_multiboot_sum=$(3)
AS_MULTIBOOT = $(call multiboot,0x1BADB002,3,0xE4524FFB)
AS_GRUB      = $(call multiboot,0x1BADB002,7,0xE4524FF7)
# Sections lie in the file one after the other, not each at a page of its own: QEMU reads, and does not map.
UNPADDED     = -Wl,-z,max-page-size=16 -Wl,-z,common-page-size=16
AS_PVH       = $(call multiboot,0,0,0)
TOOL_FLAGS   = -std=gnu11 -D_GNU_SOURCE -O2 -g $(nowhere) $(warnings) -Itools
SANITIZERS   = -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_FLAGS   = -m64 -std=gnu11 -D_GNU_SOURCE $(warnings) -fno-omit-frame-pointer -fno-pie -pthread \
               -Iarch/host $(includes)
# A thread's locals are on its stack, which arch/host makes: not in a place that the sanitizer has for them.
TEST_FLAGS   = $(HOST_FLAGS) $(TESTED) $(SANITIZERS) --param asan-use-after-return=0 -DCHECKED
FUZZING      = -fsanitize=fuzzer $(SANITIZERS)
FUZZ_FLAGS   = $(HOST_FLAGS) -O1 -g1 $(FUZZING) -DCHECKED
# Without frame pointers, as the library with which they are compared.
BENCH_FLAGS  = $(HOST_FLAGS) -fomit-frame-pointer -O2 -g -falign-functions=64
# Programs that are built into the kernel.
FLAT_FLAGS   = -m32 -march=i686 -std=gnu11 -ffreestanding -fno-pic -fno-pie -fno-stack-protector -mno-sse -O2 \
               -fno-asynchronous-unwind-tables -fno-delete-null-pointer-checks $(warnings)
# What programs run of the kernel's at any address, and debuggers and unwinders find their way in.
VDSO_FLAGS   = -m32 -march=i686 -std=gnu11 -ffreestanding -fpic -fvisibility=hidden -fno-stack-protector -mno-sse \
               -mno-mmx -mno-80387 -mpreferred-stack-boundary=2 -fomit-frame-pointer -fasynchronous-unwind-tables \
               -falign-functions=1 -falign-jumps=1 -falign-loops=1 -falign-labels=1 -O2 $(nowhere) $(warnings) \
               -Iarch/i386 $(includes)
# A program for the guest that needs no C library.
GUEST_FLAGS  = -m32 -march=i686 -std=gnu11 -ffreestanding -fno-pic -fno-pie -fno-stack-protector -mno-sse -O2 \
               -fno-asynchronous-unwind-tables $(warnings) -nostdlib -static -no-pie -Wl,--build-id=none \
               -Wl,-z,noexecstack

# One short line for each step; V=1 shows the commands.
note = $(if $(V),,@printf '  %-9s %s\n' $(1) $(2);)

# $(call unless_same,FILE,TEXT): nothing when the file says just that, else FORCE: the rule that writes it runs.
unless_same = $(if $(subst x$(strip $(2))x,,x$(strip $(file < $(1)))x),FORCE)

# $(call listed,FILE,OBJECTS): a file that is newer than what was made of another list: none of the objects itself need
# be newer. It is to be among the prerequisites of what is linked of them.
define listed
$(1): $$(call unless_same,$(1),$(2))
	@mkdir -p $$(@D)
	@echo '$(strip $(2))' > $$@
endef

# ---- Objects ---------------------------------------------------------------------------
#
# A source is compiled once for each way in which it is used, and linked for each layout. Sources that look at a
# document's own header, layout.h, are listed in sources.mk (by_layout); they alone can include it, and are compiled for
# each layout. What only some documents choose (only_WORD) is compiled once as well, and linked where layout.h has the
# word; what that takes the place of (without_WORD) is linked where it has not.
#
#   way       what for                                 once                   for a layout
#   kernel    the kernel; -checked with deep checks    $(O)/objects/kernel    $(B)/kernel
#             and in manners of its own (below)        the same, and -MANNER
#   port      host tests, sanitized                    $(O)/objects/port      $(B)/port
#   fuzz      fuzzers of the kernel's parsers          $(O)/objects/fuzz      $(B)/fuzz
#   bench     measurements on the host                 $(O)/objects/bench     $(B)/bench

kernel_objects := $(O)/objects/kernel$(if $(filter 1,$(CHECKED)),-checked)
port_objects   := $(O)/objects/port
fuzz_objects   := $(O)/objects/fuzz
bench_objects  := $(O)/objects/bench

# The manners in which some sources of the kernel are compiled, each into a folder of its own: a source that is moved to
# another list has another object, so that it is compiled anew.
manners        = small tiny boot string i686
# Beyond -Os and -Oz: no function takes in others where its frame grows, structures stay whole, branches go in the order
# of the source, and of several ways to do a thing the i386's is taken, which has the fewest bytes.
smaller        = -mtune=i386 -fconserve-stack -fno-tree-sra -fno-guess-branch-probability
manner_small   = $(if $(findstring -O2,$(OPTIMISE)),-Os $(smaller))     # runs at start or end, or when somebody looks
manner_tiny    = $(if $(findstring -O2,$(OPTIMISE)),-Oz $(smaller))     # also; a 0 may be stored by a read: no devices
manner_plain   = -fno-tree-ch -freorder-blocks-algorithm=simple         # no copies of blocks, or of loops' conditions
manner_i686    = -mtune=i686 -mbranch-cost=2                # where that takes fewer instructions; with such copies
manner_string  = $(without_loops) $(manner_i686)
manner_boot    = $(without_loops) $(manner_small)
without_loops  = -fno-tree-loop-distribute-patterns         # a loop that is memcpy must not become a call of memcpy
of_small       = $(filter kernel/devices/% arch/% kernel/console/% kernel/claims/%,$(cold))
of_tiny        = $(filter-out $(of_small),$(cold))
of_boot        = $(boot)
of_string      = kernel/base/string.c
of_i686        = $(as_i686)
manner         = $(strip $(foreach one,$(manners),$(if $(filter $(1),$(of_$(one))),-$(one))))

# $(call objects,WAY,SOURCES): their objects, each where it belongs. An object keeps its source's whole name: trap.c and
# trap.S are two halves of one thing.
objects = $(foreach source,$(2),$(if $(filter $(source),$(by_layout)),$(B)/$(1),$($(1)_objects))$(if \
              $(filter kernel,$(1)),$(call manner,$(source)))/$(source).o)

# $(call chosen,SOURCES): of these, those that the document chooses. For recipes: the list of its words must be there.
# A word with needs_WORD counts where the document has all of these as well.
features = $(file < $(L)/features)
words    = $(call met,$(features))
met      = $(foreach word,$(1),$(if $(filter-out $(1),$(needs_$(word))),,$(word)))
unchosen = $(foreach word,$(filter-out $(words),$(choices)),$(only_$(word))) $(foreach word,$(words),$(without_$(word)))
chosen  = $(filter-out $(unchosen),$(1))

comma := ,

# $(call sets,TABLE): the sets of rows of a table, for recipes.
sets = $(filter %_$(1),$(adds) $(foreach word,$(filter $(words),$(choices)),$(adds_$(word))))

# $(call compiles,FOLDER,COMMAND,BEFORE,ONCE): objects in FOLDER from sources by their names, anew when the command changes;
# ONCE: begins a command that need not compile what it has.
define compiles
$(1)/%.o: % $(1)/flags | $(3)
	@mkdir -p $$(@D)
	$$(call note,compile,$$<)$(if $(4),$(4) $$< $$@ $(2),$(2) -MMD -MP -c -o $$@ $$<)

# By a name: a command has commas, which would be the ends of unless_same's arguments.
command_$(1) := $(2)

$(1)/flags: $$(call unless_same,$(1)/flags,$$(command_$(1)))
	@mkdir -p $$(@D)
	@echo '$(strip $(2))' > $$@

made += $(1)
endef

# The same once more for sources that see layout.h, and for the sources made from the document. What does not differ from
# what another layout's are compiled from is taken from there.
define compiles_layout
$(call compiles,$(1),$(2) -I$(L) -ffile-prefix-map=$(L)=layout,$(generated) $(3),sh tools/compile-once $(O)/objects/of-layouts $(L))

$(1)/layout/%.o: $(L)/% $(1)/flags
	@mkdir -p $$(@D)
	$$(call note,compile,$$<)$(2) -I$(L) -MMD -MP -c -o $$@ $$<
endef

once_or_layout = $(call compiles,$($(1)_objects),$(2),$(3))$(newline)$(call compiles_layout,$(B)/$(1),$(2),$(3))
define newline


endef

build_setup := $(O)/setup-build
test_setup  := $(O)/setup-test
$(eval $(call once_or_layout,kernel,$(CC) $(KERNEL_FLAGS) $(manner_plain),$(build_setup)))
$(foreach one,$(manners),$(eval kernel-$(one)_objects := $(kernel_objects)-$(one))$(eval \
    $(call once_or_layout,kernel-$(one),$(CC) $(KERNEL_FLAGS) $(manner_$(one)),$(build_setup))))
$(eval $(call once_or_layout,port,$(CC) $(TEST_FLAGS),$(test_setup)))
$(eval $(call once_or_layout,fuzz,$(FUZZ_CC) $(FUZZ_FLAGS),$(test_setup)))
$(eval $(call once_or_layout,bench,$(CC) $(BENCH_FLAGS),$(test_setup)))
$(eval $(call compiles,$(O)/objects/host,$(CC) $(TOOL_FLAGS),$(build_setup)))
$(eval $(call compiles,$(O)/objects/library,$(CC) $(TOOL_FLAGS) -fPIC -fvisibility=hidden,$(build_setup)))
$(eval $(call compiles,$(O)/objects/host-checked,$(CC) $(TOOL_FLAGS) $(TESTED) $(SANITIZERS),$(test_setup)))
$(eval $(call compiles,$(O)/objects/host-fuzz,$(FUZZ_CC) $(TOOL_FLAGS) -O1 -g1 $(FUZZING),$(test_setup)))
$(eval $(call compiles,$(O)/objects/bios,$(CC) $(BIOS_FLAGS),$(build_setup)))
$(eval $(call compiles,$(O)/objects/vdso,$(CC) $(VDSO_FLAGS),$(build_setup)))
$(eval $(call compiles,$(O)/objects/flat,$(CC) $(FLAT_FLAGS),$(build_setup)))

in = $(patsubst %,$(O)/objects/$(1)/%.o,$(2))

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
$(O)/setup-page: | $(O)/setup-run
$(O)/setup-web: | $(O)/setup-page $(O)/setup-test

# Fetched by an apt of its own: nothing is installed, and the machine's own apt is not changed.
$(O)/programs/%.done: tools/fetch-programs | $(O)/setup-run
	@sh tools/fetch-programs $(O)/programs $*
	@touch $@

# Of the kernel that is there.
$(O)/programs/modules.done: | $(O)/programs/kernel.done

# ---- The host command -----------------------------------------------------------------

# What images are made of belongs to the command, but being newer does not make it old.
host_command := $(O)/host/quire | $(O)/bios/sector $(O)/bios/relocator

# A link, so that all output lies below $(O). Another build directory has no link, and neither have sources that nobody
# may write to.
ifeq ($(O),build)
quire: $(host_command)
	@ln -sfn $< $@ 2> /dev/null || true
else
.PHONY: quire
quire: $(host_command)
endif

# Where the sources are is asked by a command that lies elsewhere (tools/libquire/home.c).
command_objects = $(call in,host,$(command) $(drawing) $(compiler))
$(eval $(call listed,$(O)/objects/host/linked,$(command_objects)))

$(O)/host/quire: $(command_objects) $(O)/objects/host/linked
	@mkdir -p $(@D)
	$(call note,link,$@)$(CC) -o $@ $(filter %.o,$^) -lelf -lz
	@echo '$(CURDIR)' > $(O)/sources

# What other programs link with, and its Python module loads: the objects of the command once more, for any address.
library_objects = $(call in,library,$(library))
$(eval $(call listed,$(O)/objects/library/linked,$(library_objects)))

# The name that programs look for: a change of libquire.h that they would notice gets another number.
library_name = libquire.so.0

$(O)/libquire.so: $(O)/$(library_name)
	@ln -sfn $(library_name) $@

$(O)/$(library_name): $(library_objects) $(O)/objects/library/linked
	$(call note,library,$@)$(CC) -shared -Wl,-soname,$(library_name) -Wl,-z,defs -o $@ $(filter %.o,$^) -lelf
	@[ -e $(O)/sources ] || echo '$(CURDIR)' > $(O)/sources

# ---- The way from a BIOS: flat bytes, found by ./quire image --------------------------------

$(O)/bios/sector: $(call in,bios,$(sector))
	@mkdir -p $(@D)
	$(call note,link,$@)ld -m elf_i386 -Ttext=0x7C00 -e sector_start --oformat=binary -o $@ $<

$(O)/bios/relocator: $(call in,bios,$(relocator)) boot/bios/relocator.ld
	@mkdir -p $(@D)
	@ld -m elf_i386 --no-warn-rwx-segments -T boot/bios/relocator.ld -o $@.elf $(filter %.o,$^)
	$(call note,link,$@)objcopy -O binary -R .bss $@.elf $@

# ---- One layout: document -> sources -> kernel ----------------------------------------

# A document may be any file, so the name alone does not say whether this one was compiled.
$(L)/document: $(call unless_same,$(L)/document,$(abspath $(document)))
	@mkdir -p $(@D)
	@echo '$(abspath $(document))' > $@

# Anew when the compiler changes, not whenever the command does that it is a part of. `features`: the words of layout.h.
$(generated) &: $(document) $(L)/document $(call in,host,$(compiler)) | $(O)/host/quire
	$(call note,layout,$(document))$(O)/host/quire layout compile $(document) -o $(L)
	@sed -n 's/^#define LAYOUT_\([A-Z_0-9]*\) .*/\1/p' $(L)/layout.h > $(L)/features
	@touch $(generated)

# The kernel's tables, each a list of those sets of rows that the document chooses: $(L)/TABLE.c.
define table_of_sets
$(L)/$(1).c: $(L)/features sources.mk $(wildcard layouts/*/sources.mk)
	@printf '%s\n' '/* Made by build.mk from $(document) and layouts/NAME/sources.mk. */' \
	    '#include "$$(word 4,$$(table_$(1)))"' > $$@
	@for set in $$(call sets,$(1)); do echo "extern const $$(wordlist 1,2,$$(table_$(1))) $$$$set[];"; done >> $$@
	@echo 'const $$(wordlist 1,2,$$(table_$(1))) *const $$(word 3,$$(table_$(1)))[] = {' \
	    '$$(addsuffix $$(comma),$$(call sets,$(1))) 0 };' >> $$@
endef
$(foreach table,$(tables),$(eval $(call table_of_sets,$(table))))

# Built-in programs: linked for the document's start address, and nothing but the bytes from there on. With a
# sanitizer's or the kernel's flags they could not stand alone, so they have their own. Where the document has no such
# address they are made for address 0, and no kernel has them: only its compiler reads a document.
$(B)/user/flat.ld: $(flat_folder)/flat.ld.S $(L)/layout.h
	@mkdir -p $(@D)
	@$(CC) -E -P -x assembler-with-cpp -o $@ $< \
	    $(if $(filter START_ADDRESS,$(features)),-include $(L)/layout.h,-DLAYOUT_START_ADDRESS=0)

# peek.S begins by itself; the others begin in start.S.
flat_images := $(patsubst %,$(B)/user/%.bin,$(flat))
flat_start   = $(if $(filter peek,$(1)),,$(call in,flat,$(flat_folder)/start.S))

define flat_program
$(B)/user/$(1).bin: $(call flat_start,$(1)) $(B)/user/flat.ld \
    $(call in,flat,$(firstword $(wildcard $(flat_folder)/$(1).c $(flat_folder)/$(1).S)))
	@ld -m elf_i386 --no-warn-rwx-segments -T $(B)/user/flat.ld -o $$(@:.bin=.elf) $$(filter %.o,$$^)
	$$(call note,program,$$@)objcopy -O binary $$(@:.bin=.elf) $$@
endef
$(foreach program,$(flat),$(eval $(call flat_program,$(program))))

$(B)/user/programs.o: $(flat_folder)/programs.S $(flat_images)
	$(call note,compile,$<)$(CC) $(KERNEL_FLAGS) -Wa,-I$(B)/user -c -o $@ $<

# The vDSO: what of the shared object is loaded, as bytes for the kernel.
$(O)/vdso/vdso.so: $(call in,vdso,$(vdso)) arch/i386/vdso/vdso.ld
	@mkdir -p $(@D)
	$(call note,link,$@)ld -m elf_i386 -shared --hash-style=sysv --eh-frame-hdr --build-id=none -z noexecstack \
	    -z norelro -soname linux-gate.so.1 -T arch/i386/vdso/vdso.ld -o $@ $(filter %.o,$^)

$(O)/vdso/image.S: $(O)/vdso/vdso.so tools/vdso.awk
	@od -An -v -tu1 -w16 $< | awk -v end=0x$$($(NM) $< | sed -n 's/ . vdso_end$$//p') -f tools/vdso.awk > $@

$(O)/vdso/image.o: $(O)/vdso/image.S
	@$(CC) -m32 -c -o $@ $<

# What runs before paging is linked where it is loaded, so its sections get names of their own,
# and it must call nothing that is linked elsewhere: not even a memcpy that the compiler thought of.
$(kernel_objects)/boot.o: $(call objects,kernel,$(boot))
	@ld -m elf_i386 -r -o $@.new $^
	@$(NM) -u $@.new | grep -v ' image_' && \
	    { echo "$@: before paging, nothing outside boot/ is there" >&2; exit 1; } || true
	$(call note,boot,$@)objcopy --prefix-alloc-sections=.boot $@.new $@

# All that any document could choose is there before a kernel is linked; what this one chooses is linked.
layout_made  := $(patsubst %,$(B)/kernel/layout/%.o,layout.c tables.S $(tables:%=%.c)) $(B)/user/programs.o
kernel_parts := $(kernel_objects)/boot.o $(O)/vdso/image.o $(layout_made)
linked        = $(call objects,kernel,$(call chosen,$(kernel))) $(kernel_parts)

$(eval $(call listed,$(B)/linked,$(call objects,kernel,$(kernel) $(run_only)) $(kernel_parts)))

# Linked twice: the names of all functions can only be listed once their addresses are known.
# The list lies behind all code, so it moves none; the second link proves it.
$(B)/symbols-0.S: tools/symbols.awk
	@mkdir -p $(@D)
	@awk -f tools/symbols.awk < /dev/null > $@

$(B)/kernel-0.elf: $(call objects,kernel,$(kernel)) $(kernel_parts) $(B)/symbols-0.o $(L)/kernel.ld $(L)/features \
    $(B)/linked
	@$(CC) $(LINK_FLAGS) $(AS_MULTIBOOT) -T $(L)/kernel.ld -o $@ $(linked) $(B)/symbols-0.o

$(B)/symbols-1.S: $(B)/kernel-0.elf tools/symbols.awk
	@$(NM) -n $< | awk -f tools/symbols.awk > $@

$(B)/symbols-0.o $(B)/symbols-1.o: $(B)/%.o: $(B)/%.S | $(O)/setup-build
	@$(CC) -m32 -c -o $@ $<

$(B)/kernel.elf: $(B)/kernel-0.elf $(B)/symbols-1.o
	$(call note,link,$@)$(CC) $(LINK_FLAGS) $(AS_MULTIBOOT) -T $(L)/kernel.ld -o $@.new $(linked) $(B)/symbols-1.o
	@$(NM) -n $@.new | awk -f tools/symbols.awk | cmp - $(B)/symbols-1.S || \
	    { echo "$@: the second link moved code, or another make builds here at this moment;" \
	        "the names of a backtrace would be wrong" >&2; exit 1; }
	@mv $@.new $@

# For QEMU's small machine: without the Multiboot header, and without what only a debugger reads.
$(B)/kernel-pvh.elf: $(B)/kernel.elf
	$(call note,link,$@)$(CC) $(LINK_FLAGS) $(AS_PVH) -s -T $(L)/kernel.ld -o $@ $(linked) $(B)/symbols-1.o

# The kernel that only runs programs (sources.mk: run), for the same machine. Its map has the names of its functions,
# and where its assertions are: their texts are not in it. There is none with deep checks: they are what it lacks.
run_kernel := $(if $(filter 1,$(CHECKED)),,$(B)/kernel-run.elf)
run_parts  = $(filter-out $(tables:%=$(B)/kernel/layout/%.c.o) %/tables.S.o,$(kernel_parts)) $(B)/kernel/tables-run.o
run_linked = $(call objects,kernel,$(call chosen,$(run))) $(run_parts)

# Page tables that its first instructions write, and the file has not.
$(B)/kernel/tables-run.S: $(L)/tables.S tools/tables-run.awk
	@mkdir -p $(@D)
	@awk -f tools/tables-run.awk $< > $@

$(B)/kernel/tables-run.o: $(B)/kernel/tables-run.S
	@$(CC) -m32 -c -o $@ $<

$(B)/kernel-run.elf: $(call objects,kernel,$(run)) $(run_parts) $(L)/kernel.ld $(L)/features tools/kernel-map \
    tools/kernel-run.sed $(B)/linked
	$(call note,link,$@)sed -f tools/kernel-run.sed $(L)/kernel.ld > $@.ld && \
	    $(CC) $(LINK_FLAGS) $(UNPADDED) $(AS_PVH) -T $@.ld -o $@.new $(run_linked)
	@sh tools/kernel-map $@.new > $(@:.elf=.map)
	@strip -o $@ $@.new && rm $@.new $@.ld

# ---- The CD image ---------------------------------------------------------------------

# Firmware that has no text mode has pixels, so kernels for GRUB bring glyphs: those of GRUB's own font.
GRUB_FONT = /usr/share/grub/euro.pf2

$(O)/font/screen_font.c: tools/font.awk | $(O)/setup-iso
	@mkdir -p $(@D)
	$(call note,font,$(GRUB_FONT))od -An -v -tu1 $(GRUB_FONT) | awk -f tools/font.awk > $@

$(O)/font/screen_font.o: $(O)/font/screen_font.c
	@$(CC) $(KERNEL_FLAGS) -c -o $@ $<

$(B)/kernel-grub.elf: $(B)/kernel.elf $(O)/font/screen_font.o
	$(call note,link,$@)$(CC) $(LINK_FLAGS) $(AS_GRUB) -s -T $(L)/kernel.ld -o $@ $(linked) $(B)/symbols-1.o \
	    $(O)/font/screen_font.o

$(O)/quire.iso: quire FORCE | $(O)/setup-iso $(O)/programs/programs.done
	@for layout in $(LAYOUTS); do \
	    $(MAKE) --no-print-directory LAYOUT=$$layout $(O)/$$layout/kernel-grub.elf || exit 1; done
	@$(O)/host/quire image --archive $(O)/shell.cpio
	@sh tools/iso $@ $(LAYOUT) $(O)/shell.cpio $(foreach layout,$(LAYOUTS),$(O)/$(layout)/kernel-grub.elf)

# ---- The page -------------------------------------------------------------------------
#
# Modules for a browser: the host's own sources, compiled once more by clang with Debian's C library for WASI.
WASM_CC    = clang
WASM_FLAGS = --target=wasm32-wasi -mexec-model=reactor -std=gnu11 -D_GNU_SOURCE -Oz -flto $(warnings) -Itools -Iweb \
             -Wl,--gc-sections -Wl,--strip-all -Wl,-z,stack-size=262144

wasm_headers := $(wildcard web/*.h tools/layout/*.h tools/map/*.h)

define wasm_module
$(O)/web-modules/$(1).wasm: web/$(1).c web/module.c $(2) $(wasm_headers) | $(O)/setup-page
	@mkdir -p $$(@D)
	$$(call note,wasm,$$@)$(WASM_CC) $(WASM_FLAGS) -o $$@ $$(filter %.c,$$^)
endef
$(eval $(call wasm_module,layout,$(web_layout)))
$(eval $(call wasm_module,map,$(web_map)))
web_modules = $(O)/web-modules/layout.wasm $(O)/web-modules/map.wasm

$(O)/web-packages/done: web/packages tools/web-packages | $(O)/setup-page
	@sh tools/web-packages $(@D)
	@touch $@

# ---- Host tests: the compiler's own, and the memory manager's under one layout --------

tool_programs    := $(patsubst tests/host/%.c,$(O)/tests/%,$(tool_tests))
machine_programs := $(patsubst %.c,$(B)/tests/%,$(notdir $(machine_tests)))
tool-tests: $(tool_programs)
machine-tests: $(machine_programs)

$(tool_programs): $(O)/tests/%: $(O)/objects/host-checked/tests/host/%.c.o $(call in,host-checked,$(compiler))
	@mkdir -p $(@D)
	$(call note,link,$@)$(CC) $(SANITIZERS) $(quick_link) -o $@ $^ -lcmocka

# Tests are linked by the hundred, for which gold takes a third of the time, where it is installed.
quick_link := $(if $(wildcard $(addsuffix /ld.gold,$(subst :, ,$(PATH)))),-fuse-ld=gold)

# A test that makes a layout of its own out of the compiled document needs that under another name.
$(L)/document.c: $(L)/layout.c
	@sed 's/^const struct layout layout = /static const struct layout document = /' $< > $@

$(B)/port/layouts/firmware/tests/test_firmware.c.o $(patsubst %,$(B)/port/%.o,$(own_documents)): $(L)/document.c

machine_made := layout.c invariants.c audits.c corruptions.c commands.c

# The machine in plain memory, as an archive of names: a test gets those of its objects that it asks for.
define machine_archive
$(call listed,$(B)/$(1)/listed,$(call objects,$(1),$(2)))

$(B)/$(1)/machine.a: $(B)/$(1)/listed $(call objects,$(1),$(2)) $(machine_made:%=$(B)/$(1)/layout/%.o) $(L)/features
	@rm -f $$@ && $(AR) rcsTD $$@ $$(call objects,$(1),$$(call chosen,$(2))) $(machine_made:%=$(B)/$(1)/layout/%.o)
endef
$(foreach way,port bench,$(eval $(call machine_archive,$(way),$(machine))))
$(eval $(call machine_archive,fuzz,$(machine_fuzzed)))

# $(call test_program,PROGRAM,SOURCE,WAY): which object belongs to a program of the machine.
test_program = $(1): $(call objects,$(3),$(2)) $(B)/$(3)/machine.a
$(foreach test,$(machine_tests),\
    $(eval $(call test_program,$(patsubst %.c,$(B)/tests/%,$(notdir $(test))),$(test),port)))

$(machine_programs):
	@mkdir -p $(@D)
	$(call note,link,$@)$(CC) $(TEST_FLAGS) $(quick_link) -no-pie -o $@ $^ -lcmocka

# ---- Fuzzing: libFuzzer, bounded ------------------------------------------------------

tool_fuzzers    := $(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(tool_fuzz))
machine_fuzzers := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(machine_fuzz))
fuzzers          = $(tool_fuzzers) $(machine_fuzzers)

fuzz-programs: $(fuzzers)

$(tool_fuzzers): $(O)/fuzz/%: $(O)/objects/host-fuzz/tests/fuzz/%.c.o $(call in,host-fuzz,$(compiler) $(drawing))
	@mkdir -p $(@D)
	$(call note,link,$@)$(FUZZ_CC) $(FUZZING) -o $@ $^

$(foreach fuzzer,$(machine_fuzz),$(eval $(call test_program,$(fuzzer:tests/fuzz/%.c=$(B)/fuzz/%),$(fuzzer),fuzz)))

$(machine_fuzzers):
	$(call note,link,$@)$(FUZZ_CC) $(FUZZ_FLAGS) -no-pie -o $@ $^

# ---- Measurements: optimised, no sanitizers -------------------------------------------

guest_programs = $(addprefix $(O)/guest/,vmbench wide growth job pages hello empty)

$(O)/guest/hello: bench/guest/hello.c | $(O)/setup-build
	@mkdir -p $(@D)
	$(call note,guest,$@)$(CC) $(GUEST_FLAGS) -o $@ $<

# Programs that measure operations: bench.c is their frame. `wide` is in several files.
bench_parts = $(filter-out %.h,$^)
$(O)/guest/vmbench: bench/guest/vmbench.c
$(O)/guest/wide: $(addprefix bench/guest/wide,.c _memory.c _files.c _streams.c _processes.c)
$(O)/guest/growth: bench/guest/growth.c
$(O)/guest/job: bench/guest/job.c
$(O)/guest/pages: bench/guest/pages.c
$(O)/guest/wide $(O)/guest/growth: bench/guest/wide_calls.c bench/guest/wide.h
$(addprefix $(O)/guest/,vmbench wide growth job pages): bench/guest/bench.c bench/guest/bench.h | $(O)/setup-build
	@mkdir -p $(@D)
	$(call note,guest,$@)$(CC) $(GUEST_FLAGS) -o $@ $(bench_parts)

# In a place of its own, so that its instructions are told from those of the programs that it starts.
$(O)/guest/job: GUEST_FLAGS += -Wl,-Ttext-segment=0x70000000

# A plug-in of QEMU: which instructions a machine executes. Its interface's version goes by QEMU's own.
$(O)/host/executed.so: bench/executed.c | $(O)/setup-run
	@mkdir -p $(@D)
	$(call note,plug-in,$@)$(CC) $(TOOL_FLAGS) -shared -fPIC -fvisibility=hidden -o $@ $< \
	    -DVERSION=$$($(QEMU) --version | sed -n '1s/.*version \([0-9]*\).*/\1/p' | awk '{ print $$1 < 9 ? 1 : 2 }')

$(O)/guest/empty: bench/guest/empty.S | $(O)/setup-build
	@mkdir -p $(@D)
	$(call note,guest,$@)$(CC) $(GUEST_FLAGS) -Wl,-N,-e,start,--no-warn-rwx-segments \
	    -Wl,--section-start=.note.pvh=0x100000,-Ttext=0x100100 -o $@ $<

bench_programs := $(patsubst bench/%.c,$(B)/bench/%,$(benches))
$(foreach program,$(benches),$(eval $(call test_program,$(program:bench/%.c=$(B)/bench/%),$(program),bench)))

$(bench_programs):
	$(call note,link,$@)$(CC) $(BENCH_FLAGS) -no-pie -o $@ $^

# ---- Which headers an object was made from ------------------------------------------------

all_objects := $(call objects,kernel,$(kernel) $(run_only) $(boot)) $(call objects,port,$(machine) $(machine_tests)) \
               $(call objects,fuzz,$(machine) $(machine_fuzz)) \
               $(call objects,bench,$(machine) $(benches)) $(call in,host,$(command) $(drawing) $(compiler)) \
               $(call in,library,$(library)) $(call in,host-checked,$(compiler) $(tool_tests)) \
               $(call in,host-fuzz,$(compiler) $(drawing) $(tool_fuzz)) \
               $(call in,bios,$(sector) $(relocator)) $(call in,vdso,$(vdso)) \
               $(call in,flat,$(wildcard $(flat_folder)/*.c $(flat_folder)/*.S)) \
               $(foreach way,port fuzz bench,$(machine_made:%=$(B)/$(way)/layout/%.o)) $(layout_made)

-include $(wildcard $(all_objects:.o=.d))
