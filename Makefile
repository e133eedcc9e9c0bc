# Makefile - Quire's table of contents: every source of the kernel, one phrase each.
#
#   make                    the host command ./quire, and the kernel of the default layout
#   make run                real programs sealed in, then a shell on this terminal
#   make console            the kernel's own console on this terminal
#   make LAYOUT=name ...    another document of layouts/, or any file: LAYOUT=/some/mine.md
#   make help               everything else
#
# All output goes to $(O)/; what belongs to one layout to $(O)/NAME/.

O         ?= build
LAYOUT    ?= quire
LAYOUTS    = movos firmware pat higher-half tracker quire
CHECKED   ?= 0
OPTIMISE  ?= -O2 -g
MEMORY    ?= 64
APPEND    ?=
FUZZ_SECONDS ?= 5

# ---- The kernel -----------------------------------------------------------------------

kernel :=
boot   :=

# boot: from the boot loader to the first line of portable C
kernel += boot/start.S                  # Multiboot header, paging on, jump to the image
boot   += boot/early.c                  # the C that runs before paging, and its refusals
boot   += boot/physical.c               # reading what a loader left in memory
boot   += boot/multiboot.c              # boot information in one structure, out of low memory
boot   += boot/pvh.c                    # the same from a loader that speaks PVH
boot   += boot/bios.c                   # the same from our own boot sector and relocator
kernel += kernel/main.c                 # the order in which the kernel comes to life

# kernel/base: what every other part stands on
kernel += kernel/base/print.c           # printf's small relative
kernel += kernel/base/string.c          # bytes, text and whole pages
kernel += kernel/base/lock.c            # spin locks whose order is checked while they run
kernel += kernel/base/divide.c          # 64-bit division for a 32-bit processor
kernel += kernel/base/symbol.c          # from an address to a name
kernel += kernel/base/number.c          # numbers in text
kernel += kernel/base/random.c          # random bytes

# kernel/memory: the heart. First the memory there is, and who has it
kernel += kernel/memory/start.c         # from a memory map to a working memory manager
kernel += kernel/memory/memmap.c        # what firmware says of RAM, made sane
kernel += kernel/memory/owner.c         # the names of the owners of frames
kernel += kernel/memory/pool.c          # which frames are free: bits, and areas by fullness
kernel += kernel/memory/frame.c         # frames with owners and counts; the public calls
kernel += kernel/memory/frame_many.c    # references to many frames at once
kernel += kernel/memory/stock.c         # each CPU's frames at hand
kernel += kernel/memory/next_page.c     # pages by address: get_next_page, free_page
kernel += kernel/memory/frame_audit.c   # its invariants F1 to F5, checked

# then how pages reach it
kernel += kernel/memory/layout_region.c # which region of the layout a page is in
kernel += kernel/memory/slot.c          # the bytes of a frame, where there is no mapping of it
kernel += kernel/memory/table.c         # the one way to a page-table entry
kernel += kernel/memory/master.c        # kernel space's page-table object, where tables are tracked
kernel += kernel/memory/table_tracked.c # page-table objects that grow and move
kernel += kernel/memory/tracker.c       # where each of them is
kernel += kernel/memory/table_list.c    # and what lies at each place
kernel += kernel/memory/tracked_audit.c # their invariants E1 to E5, checked
kernel += kernel/memory/cursor.c        # the one writer of page-table entries
kernel += kernel/memory/cursor_run.c    # its work on many pages, and on the most frequent one
kernel += kernel/memory/cursor_tables.c # the tables it makes and gives back
kernel += kernel/memory/region.c        # what a range of pages means: the region tree
kernel += kernel/memory/space.c         # an address space: regions and tables together
kernel += kernel/memory/space_audit.c   # that its tables say what its regions say
kernel += kernel/memory/kernel_space.c  # from the boot tables to those of the document
kernel += kernel/memory/window.c        # regions carved out of kernel space's windows
kernel += kernel/memory/recipe.c        # memory for a new process, step by step
kernel += kernel/memory/table_window.c  # processes' tables in a window of kernel space
kernel += kernel/memory/run.c           # neighbouring pages that the tables treat alike

# then what the kernel itself needs
kernel += kernel/memory/stack.c         # kernel stacks, with room between them
kernel += kernel/memory/heap.c          # the kernel heap: ready blocks, and the checks
kernel += kernel/memory/heap_slab.c     # runs of pages cut into equal blocks
kernel += kernel/memory/heap_big.c      # blocks of whole pages
kernel += kernel/memory/heap_pages.c    # frames under the heap's pages
kernel += kernel/memory/heap_keep.c     # what is never given back
kernel += kernel/memory/heap_misuse.c   # the heap used wrongly: what, where, by whom
kernel += kernel/memory/heap_audit.c    # its invariants H1 to H5, checked

# then what programs will need
kernel += kernel/memory/object.c        # the pages of files and of shared memory
kernel += kernel/memory/map.c           # mmap, munmap, mprotect: decided first, then done
kernel += kernel/memory/map_region.c    # regions of programs: made, split, joined, cut
kernel += kernel/memory/map_copy.c      # the same pages in a second place: fork and mremap
kernel += kernel/memory/map_pages.c     # pages at once, also of a given physical place
kernel += kernel/memory/map_advise.c    # what a program says of its memory
kernel += kernel/memory/fault_decide.c  # the fault decision: facts in, an action out
kernel += kernel/memory/fault.c         # mending a page fault

# and the proof
kernel += kernel/memory/audit.c         # all invariants: in full, or in slices while idle
kernel += kernel/memory/audit_cross.c   # what must be true between the parts
kernel += kernel/memory/sabotage.c      # breaking each invariant on purpose
kernel += kernel/memory/sabotage_frames.c   # frames
kernel += kernel/memory/sabotage_tables.c   # tables and regions
kernel += kernel/memory/sabotage_parts.c    # heap, stacks, objects
kernel += kernel/memory/sabotage_tracked.c  # page-table objects, their trackers, the master table
kernel += kernel/memory/sabotage_window.c   # the window of processes' tables

# kernel/memory once more: what programs hand to the kernel
kernel += kernel/memory/user.c          # the only way to a program's memory
kernel += kernel/memory/user_walk.c     # through its tables, where it has no addresses
kernel += kernel/memory/user_in.c       # and to that of one who does not run
kernel += kernel/memory/shared.c        # variables of which each process has a copy
kernel += kernel/memory/application.c   # the memory of a built-in application

# kernel/process: programs
kernel += kernel/process/process.c      # who exists: numbers, lists, making and freeing
kernel += kernel/process/schedule.c     # threads taking turns, waiting, waking
kernel += kernel/process/clock.c        # time, and what is to happen at a time
kernel += kernel/process/clone.c        # fork, vfork, threads
kernel += kernel/process/elf.c          # what a program file asks for
kernel += kernel/process/arguments.c    # the texts a program is started with
kernel += kernel/process/image.c        # a program mapped, and its first stack
kernel += kernel/process/exec.c         # a new program in an old process
kernel += kernel/process/exit.c         # the end of threads and processes, and waiting for it
kernel += kernel/process/group.c        # groups, sessions, one thread to remain
kernel += kernel/process/signal.c       # signals sent, queued, delivered
kernel += kernel/process/timers.c       # alarms
kernel += kernel/process/futex.c        # waiting for a word of memory
kernel += kernel/process/orders.c       # what to run, from the boot archive
kernel += kernel/process/first.c        # the first program, and the machine's end
kernel += kernel/process/flat.c         # programs built into the kernel, and their processes
kernel += kernel/process/builtin.c      # applications that are linked into the image
kernel += kernel/process/report.c       # what became of the memory
kernel += kernel/process/snapshot.c     # all of memory at one moment, in lines for ./quire map

# kernel/files: files, and what behaves like one
kernel += kernel/files/node.c           # nodes and open files
kernel += kernel/files/buffer.c         # bytes to and from programs
kernel += kernel/files/path.c           # open, link, rename and the like, by path
kernel += kernel/files/walk.c           # from a path to a node
kernel += kernel/files/place.c          # root, working directory, mounts
kernel += kernel/files/descriptor.c     # the numbers of open files
kernel += kernel/files/lock.c           # record locks
kernel += kernel/files/tmpfs.c          # files in memory
kernel += kernel/files/tmpfs_folder.c   # their folders
kernel += kernel/files/root.c           # what every program expects to find
kernel += kernel/files/archive.c        # the boot archive's memory becomes files'
kernel += kernel/files/cpio.c           # its entries
kernel += kernel/files/inflate.c        # gzip
kernel += kernel/files/pipe.c           # pipes and fifos
kernel += kernel/files/devices.c        # null, zero, full, random, and others by number
kernel += kernel/files/watch.c          # waiting for several files
kernel += kernel/files/epoll.c          # epoll
kernel += kernel/files/event.c          # event counters
kernel += kernel/files/socket.c         # local sockets: naming and connecting
kernel += kernel/files/socket_data.c    # and what goes through them
kernel += kernel/files/streams.c        # standard streams through the channel
kernel += kernel/files/discipline.c     # keys into lines
kernel += kernel/files/discipline_output.c  # output onto a screen
kernel += kernel/files/terminal.c       # a terminal: reading and writing
kernel += kernel/files/terminal_control.c   # whose it is, and its ioctls
kernel += kernel/files/terminals.c      # the terminal there is
kernel += kernel/files/proc.c           # /proc: its tree, and text
kernel += kernel/files/proc_process.c   # what it says of processes
kernel += kernel/files/proc_memory.c    # their mappings
kernel += kernel/files/proc_system.c    # the machine
kernel += kernel/files/proc_quire.c     # and our own additions


# kernel/linux: the system calls, a file for each family
kernel += kernel/linux/dispatch.c       # from a number to a function
kernel += kernel/linux/table_i386.c     # the numbers of i386
kernel += kernel/linux/process.c        # processes
kernel += kernel/linux/signal.c         # signals
kernel += kernel/linux/time.c           # clocks and timers
kernel += kernel/linux/futex.c          # futexes
kernel += kernel/linux/memory.c         # mappings
kernel += kernel/linux/system.c         # limits, names, odds and ends
kernel += kernel/linux/file.c           # read, write and their relatives
kernel += kernel/linux/files.c          # descriptors and paths, for all of these
kernel += kernel/linux/fcntl.c          # fcntl, ioctl, flock
kernel += kernel/linux/path.c           # open, link, rename
kernel += kernel/linux/folder.c         # reading folders
kernel += kernel/linux/stat.c           # stat and its forms
kernel += kernel/linux/attribute.c      # modes, owners, times
kernel += kernel/linux/copy.c           # from file to file
kernel += kernel/linux/poll.c           # poll, select, epoll
kernel += kernel/linux/socket.c         # sockets
kernel += kernel/linux/mount.c          # mounts

# kernel/devices: the few devices there are
kernel += kernel/devices/serial.c       # the serial line
kernel += kernel/devices/vga.c          # the text screen
kernel += kernel/devices/keys.c         # from scan codes to bytes
kernel += kernel/devices/keyboard.c     # the keyboard
kernel += kernel/devices/acpi.c         # what firmware's tables say of switching off
kernel += kernel/devices/acpi_off.c     # switching off
kernel += kernel/devices/pci.c          # which addresses belong to devices
kernel += kernel/devices/virtio.c       # rings of buffers to a virtual machine's devices
kernel += kernel/devices/virtio_mmio.c  # their registers: announced on the command line
kernel += kernel/devices/virtio_pci.c   # or on the PCI bus
kernel += kernel/devices/virtio_console.c   # a port: bytes to the host and back
kernel += kernel/devices/channel_frames.c   # frames in bytes, credit for input
kernel += kernel/devices/channel_link.c # the channel to who sealed the program in

# kernel/console: the commands of the serial line
kernel += kernel/console/console.c      # prompt, line, command, answer
kernel += kernel/console/line.c         # editing a line
kernel += kernel/console/words.c        # command text taken apart
kernel += kernel/console/show.c         # addresses, sizes and rights in words
kernel += kernel/console/commands.c     # the table of all commands
kernel += kernel/console/picture.c      # map: kernel space, drawn
kernel += kernel/console/document.c     # layout, claims
kernel += kernel/console/tables.c       # entry
kernel += kernel/console/frames.c       # frames, physical, alloc, free
kernel += kernel/console/parts.c        # heap, stacks
kernel += kernel/console/processes.c    # start, processes, kill, wait
kernel += kernel/console/checks.c       # audit, break
kernel += kernel/console/crash.c        # stopping the machine on purpose
kernel += kernel/console/machine.c      # devices, version, and ways to leave
kernel += kernel/console/apps.c         # apps, start
kernel += kernel/console/benchmark.c    # what operations cost

# apps: programs that are part of the image, where a layout has such
kernel += apps/app.c                    # what they all need
kernel += apps/apps.c                   # the list of them
kernel += apps/demonstrations.c         # each shows one thing
kernel += apps/probe.c                  # tries one access

# kernel/claims: what a document promises, shown
kernel += kernel/claims/claims.c        # going through the document's claims
kernel += kernel/claims/looking.c       # walking, reading and taking, for the probes
kernel += kernel/claims/higher_half.c   # the probes of layouts/higher-half.md
kernel += kernel/claims/movos.c         # the probes of layouts/movos.md: frames, tables, bookkeeping
kernel += kernel/claims/movos_boot.c    # the way from the BIOS
kernel += kernel/claims/movos_processes.c   # processes, made and ended
kernel += kernel/claims/movos_mutations.c   # and what makes some of them fail
kernel += kernel/claims/pat.c           # the probes of layouts/pat.md: pages
kernel += kernel/claims/pat_spaces.c    # and spaces
kernel += kernel/claims/pat_mutations.c # and what makes some of them fail
kernel += kernel/claims/quire.c         # the probes of layouts/quire.md
kernel += kernel/claims/firmware.c      # the probes of layouts/firmware.md
kernel += kernel/claims/firmware_rights.c   # the eight of them about rights
kernel += kernel/claims/firmware_mutations.c    # making some of these claims untrue
kernel += kernel/claims/tracker.c       # the probes of layouts/tracker.md: single objects
kernel += kernel/claims/tracker_many.c  # many of them
kernel += kernel/claims/tracker_master.c    # the kernel's own
kernel += kernel/claims/tracker_mutations.c # making some of these claims untrue
kernel += kernel/claims/mutations.c     # making a claim untrue, so that its probe is seen to notice

# arch/i386: everything that knows the processor
kernel += arch/i386/entry.S             # the first instructions at the kernel's own addresses
kernel += arch/i386/page.c              # whole pages, sixteen bytes at a time
kernel += arch/i386/cpu_facts.c         # what the processor says of itself
kernel += arch/i386/mmu.c               # what the processor has, and forgetting translations
kernel += arch/i386/descriptor.c        # segments, tasks and gates
kernel += arch/i386/trap.S              # the way in for every vector, and back
kernel += arch/i386/trap.c              # who deals with a trap
kernel += arch/i386/panic.c             # the end, told in parts
kernel += arch/i386/inspect.c           # the registers that name the processor's tables
kernel += arch/i386/switch.S            # running on another stack
kernel += arch/i386/pic.c               # the interrupt controllers
kernel += arch/i386/timer.c             # a steady tick
kernel += arch/i386/pci_ports.c         # PCI configuration space
kernel += arch/i386/power.c             # ways out
kernel += arch/i386/clock.c             # where time comes from
kernel += arch/i386/program.c           # programs' traps
kernel += arch/i386/registers.c         # programs' registers, for portable code
kernel += arch/i386/signal_frame.c      # what a signal handler finds on its stack
kernel += arch/i386/thread.c            # a thread's stack, TLS and FPU
kernel += arch/i386/thread_switch.S     # from one stack to another
kernel += arch/i386/user_copy.S         # copying where a fault may happen

# ---- Programs that are built into kernels whose document has a start address: a flat image each ----------

flat = ticker spinner brief wild large peek

# ---- From a BIOS to the kernel: the same for every layout, put into images by ./quire image ----------

sector    = boot/bios/sector.S          # 512 bytes at 0x7C00: loads all below the EBDA
relocator = boot/bios/enter.S           # at 0x8000: to protected mode, and to the BIOS and back
relocator += boot/bios/relocator.c      # the order of things, from the loaded image to the kernel
relocator += boot/bios/memory.c         # A20, and the BIOS's memory map
relocator += boot/bios/disk.c           # the archive's sectors
relocator += boot/bios/say.c            # why it cannot go on

# ---- The host command and the layout compiler -----------------------------------------

command  = $(wildcard tools/quire/*.c)  # ./quire and its subcommands
drawing  = $(wildcard tools/map/*.c)    # snapshot of a running machine -> towers -> drawings
compiler = $(wildcard tools/layout/*.c) # document -> linker script, tables, constants, picture

# ---- Tests and measurements -----------------------------------------------------------

# The memory manager on a machine in plain memory (arch/host): what is linked into it.
machine  = $(filter-out %/user.c,$(filter kernel/memory/%,$(kernel))) $(wildcard arch/host/*.c) $(machine_base) $(machine_console) $(machine_files)
machine_base = $(addprefix kernel/base/,print.c string.c lock.c divide.c) kernel/devices/pci.c \
               boot/physical.c boot/multiboot.c boot/pvh.c boot/bios.c kernel/devices/channel_frames.c kernel/devices/keys.c kernel/devices/acpi.c \
               kernel/files/discipline.c kernel/files/discipline_output.c
# Files, as far as they need no processes but one.
machine_files = $(addprefix kernel/files/,node.c buffer.c path.c walk.c place.c descriptor.c lock.c tmpfs.c tmpfs_folder.c \
                cpio.c inflate.c pipe.c devices.c watch.c epoll.c event.c socket.c socket_data.c)
# The console without the commands that stop a real machine or ask its devices.
machine_console = $(filter-out %/machine.c %/crash.c %/processes.c %/apps.c,$(filter kernel/console/%,$(kernel)))

# Tests of the layout compiler need no layout; all others run under each of LAYOUTS.
tool_tests    = $(wildcard tests/host/test_layout*.c)
machine_tests = $(filter-out $(tool_tests),$(wildcard tests/host/test_*.c))
tool_fuzz     = $(wildcard tests/fuzz/fuzz_layout*.c tests/fuzz/fuzz_snapshot*.c)
machine_fuzz  = $(filter-out $(tool_fuzz),$(wildcard tests/fuzz/fuzz_*.c))
benches       = $(wildcard bench/bench_*.c)

# ---- Names ----------------------------------------------------------------------------

document := $(if $(findstring /,$(LAYOUT)),$(LAYOUT),layouts/$(LAYOUT:.md=).md)
name     := $(basename $(notdir $(document)))
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

# ---- Goals ----------------------------------------------------------------------------

.PHONY: all kernel run console image run-image iso run-iso claims figures test bench compare fuzz tool-tests machine-tests \
        fuzz-programs programs clean help setup FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: quire kernel                       ## ./quire and the kernel of LAYOUT (default: quire)
kernel: $(B)/kernel.elf $(B)/kernel-pvh.elf ## the kernel only; CHECKED=1 adds the deep assertions

run: quire kernel $(O)/programs/programs.done | $(O)/setup-run ## real programs, each sealed in; then a shell
	sh tools/demonstration ./quire $(O)/programs $(name)

console: kernel | $(O)/setup-run        ## the kernel's own console; leave with Ctrl-a x. MEMORY=MiB, APPEND=words
	$(QEMU) -accel tcg -m $(MEMORY) -display none -no-reboot -nodefaults -device isa-debug-exit,iobase=0xf4 \
	    -serial mon:stdio -kernel $(B)/kernel.elf -append "$(APPEND)" || test $$(($$? & 1)) -eq 1

test: | $(O)/setup-test                 ## everything that can be checked; ONLY=word: what has it in its name
	@tests/run --build $(O) --layouts "$(LAYOUTS)" --tool-tests "$(basename $(notdir $(tool_tests)))" \
	    --machine-tests "$(basename $(notdir $(machine_tests)))" \
	    --fuzzers "$(fuzzers)" --fuzz-seconds $(FUZZ_SECONDS) $(ONLY)

claims: quire                           ## docs/claims.md anew: every layout booted, every claim looked at
	@for layout in $(LAYOUTS); do $(MAKE) --no-print-directory LAYOUT=$$layout kernel || exit 1; done
	@tools/claims-table --build $(O) --layouts "$(LAYOUTS)" --write docs/claims.md

# A layout's images; a checked kernel's are its own.
images = $(O)/quire-$(notdir $(B))

image: quire kernel | $(O)/programs/programs.done ## disk and floppy that boot LAYOUT to a shell: build/quire-NAME.img and -floppy.img
	@$(O)/host/quire image --layout $(notdir $(B)) --append "$(APPEND)" $(images).img
	@$(O)/host/quire image --layout $(notdir $(B)) --append "$(APPEND)" --floppy $(images)-floppy.img

run-image: image | $(O)/setup-run       ## boot the disk, its shell on this terminal; leave with `exit`, or Ctrl-a x
	$(QEMU) -accel tcg -m $(MEMORY) -display none -no-reboot -nodefaults -device isa-debug-exit,iobase=0xf4 \
	    -serial mon:stdio -drive file=$(images).img,format=raw,if=ide || test $$(($$? & 1)) -eq 1

iso: $(O)/quire.iso                     ## a CD image whose GRUB menu boots every layout to a shell, or to its console

run-iso: $(O)/quire.iso | $(O)/setup-run ## boot the CD image
	$(QEMU) -accel tcg -m $(MEMORY) -display none -no-reboot -nodefaults -device isa-debug-exit,iobase=0xf4 \
	    -serial mon:stdio -cdrom $< || test $$(($$? & 1)) -eq 1

test: | $(O)/programs/programs.done
programs: $(O)/programs/programs.done   ## real i386 programs from Debian's packages, for ./quire run

clean:                                  ## remove $(O)/ and ./quire
	rm -rf $(O) quire

help:                                   ## this list
	@awk -F ':.*##' '/^[a-z-]+:.*##/ { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup:                                  ## install every Debian package that building and testing need
	sh tools/setup test

# What a goal needs from Debian is looked at once for each build directory.
$(O)/setup-%: tools/setup
	@mkdir -p $(@D)
	@sh tools/setup $*
	@touch $@

# Fetched by an apt of its own: nothing is installed, and the machine's own apt is not changed.
$(O)/programs/%.done: tools/fetch-programs | $(O)/setup-run
	@sh tools/fetch-programs $(O)/programs $*
	@touch $@

# ---- The host command -----------------------------------------------------------------

quire: $(O)/host/quire $(O)/bios/sector $(O)/bios/relocator
	@cp $< $@.new && mv $@.new $@

# libarchive brings fifteen libraries that are not used here; loading them would take longer than all else
# that quire does before it starts QEMU, so it is linked in.
$(O)/host/quire: $(patsubst %.c,$(O)/host/%.o,$(command) $(drawing) $(compiler))
	$(call note,link,$@)$(CC) -o $@ $^ -Wl,-Bstatic -larchive -lelf -lz -Wl,-Bdynamic

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

$(B)/symbols-%.o: $(B)/symbols-%.S
	@$(CC) -m32 -c -o $@ $<

$(B)/kernel.elf: $(B)/kernel-0.elf $(B)/symbols-1.o
	$(call note,link,$@)$(CC) $(LINK_FLAGS) $(AS_MULTIBOOT) -T $(B)/layout/kernel.ld -o $@.new \
	    $(objects) $(B)/symbols-1.o
	@$(NM) -n $@.new | awk -f tools/symbols.awk | cmp - $(B)/symbols-1.S || \
	    { echo "$@: the second link moved code; the names of a backtrace would be wrong" >&2; exit 1; }
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

fuzz: $(fuzzers)                        ## feed the parsers of outside data, FUZZ_SECONDS each
	@for program in $^; do sh tests/fuzz/run $$program $(FUZZ_SECONDS) || exit 1; done

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

bench: $(patsubst bench/%.c,$(B)/bench/%,$(benches)) kernel | $(O)/setup-test ## costs: host nanoseconds, guest instructions, against Linux
	@for program in $(filter $(B)/bench/%,$^); do $$program || exit 1; done
	@bench/instructions.py $(B)/kernel.elf
	@$(MAKE) --no-print-directory compare

# What operations cost a program: the same static program under Quire and under Debian's kernel.
guest_programs = $(addprefix $(O)/guest/,vmbench hello empty)
compare: quire kernel $(guest_programs) $(O)/programs/kernel.done ## costs under Quire and under Linux, and the start-up race
	@/usr/bin/python3 bench/compare.py --build $(O)
	@/usr/bin/python3 bench/startup.py --build $(O)

# Figures of every layout, for a note; nothing is written but under $(O)/.
figures: quire $(guest_programs) $(O)/programs/kernel.done $(O)/quire.iso ## all figures of all layouts, as Markdown
	@bench/figures.py --build $(O) --layouts "$(LAYOUTS)"

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
