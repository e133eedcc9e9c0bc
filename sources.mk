# sources.mk - Quire's table of contents: every source, one phrase each. How they are built is in build.mk.

# ---- The kernel -----------------------------------------------------------------------

kernel :=
boot   :=

# boot: from the boot loader to the first line of portable C
kernel += boot/start.S                              # Multiboot header, paging on, jump to the image
boot   += boot/early.c                              # the C that runs before paging, and its refusals
boot   += boot/physical.c                           # reading what a loader left in memory
boot   += boot/multiboot.c                          # boot information in one structure, out of low memory
boot   += boot/pvh.c                                # the same from a loader that speaks PVH
boot   += boot/bios.c                               # the same from our own boot sector and relocator
kernel += kernel/init/main.c                        # the order in which the kernel comes to life
kernel += kernel/init/console.c                     # and its console, where nothing is to be run
kernel += kernel/init/checks.c                      # the auditor, for those who ask
kernel += kernel/init/panic.c                       # the end, told in parts

# kernel/base: what every other part stands on
kernel += kernel/base/print.c                       # printf's small relative
kernel += kernel/base/string.c                      # bytes, text and whole pages
kernel += kernel/base/lock.c                        # spin locks whose order is checked while they run
kernel += kernel/base/rwlock.c                      # locks that sleep: many readers, or one writer
kernel += kernel/base/bitset.c                      # sets of small numbers, and the next free one
kernel += kernel/base/divide.c                      # 64-bit division for a 32-bit processor
kernel += kernel/base/symbol.c                      # from an address to a name
kernel += kernel/base/number.c                      # numbers in text
kernel += kernel/base/random.c                      # random bytes
kernel += kernel/base/compress.c                    # bytes made fewer, and back
kernel += kernel/base/block.c                       # waiting for a block device
kernel += kernel/base/rate.c                        # how fast a counter runs

# kernel/memory: the heart. First the memory there is, and who has it
kernel += kernel/memory/start.c                     # from a memory map to a working memory manager
kernel += kernel/memory/frames/memmap.c             # what firmware says of RAM, made sane
kernel += kernel/memory/frames/owner.c              # the names of the owners of frames
kernel += kernel/memory/frames/pool.c               # which frames are free: bits, and areas by fullness
kernel += kernel/memory/frames/frame.c              # frames with owners and counts; the public calls
kernel += kernel/memory/frames/frame_many.c         # references to many frames at once
kernel += kernel/memory/frames/frame_magazine.c              # each CPU's frames at hand
kernel += kernel/memory/frames/next_page.c          # pages by address: get_next_page, free_page
kernel += kernel/memory/frames/frame_sums.c         # how many there are, of what, and whose
kernel += kernel/memory/check/frame_audit.c         # its invariants F1 to F5, checked

# then how pages reach it
kernel += kernel/memory/spaces/layout_region.c      # which region of the layout a page is in
kernel += kernel/memory/tables/slot.c               # the bytes of a frame, where there is no mapping of it
kernel += kernel/memory/tables/table.c              # the one way to a page-table entry
kernel += kernel/memory/tables/cursor.c             # the one writer of page-table entries
kernel += kernel/memory/tables/cursor_run.c         # its work on many pages, and on the most frequent one
kernel += kernel/memory/tables/cursor_copy.c        # entries in a second place: fork, mremap
kernel += kernel/memory/tables/cursor_tables.c      # the tables it makes and gives back
kernel += kernel/memory/tables/tables_stay.c        # tables that never leave memory
kernel += kernel/memory/spaces/region.c             # what a range of pages means: the region tree
kernel += kernel/memory/spaces/space.c              # an address space: regions and tables together
kernel += kernel/memory/check/space_audit.c         # that its tables say what its regions say
kernel += kernel/memory/spaces/kernel_space.c       # from the boot tables to those of the document
kernel += kernel/memory/spaces/window.c             # regions carved out of kernel space's windows
kernel += kernel/memory/tables/run.c                # neighbouring pages that the tables treat alike

# then what the kernel itself needs
kernel += kernel/memory/heap/stack.c                # kernel stacks, with room between them
kernel += kernel/memory/heap/heap.c                 # the kernel heap: ready blocks, and the checks
kernel += kernel/memory/heap/heap_slab.c            # runs of pages cut into equal blocks
kernel += kernel/memory/heap/heap_big.c             # blocks of whole pages
kernel += kernel/memory/heap/heap_pages.c           # frames under the heap's pages
kernel += kernel/memory/heap/heap_keep.c            # what is never given back
kernel += kernel/memory/heap/heap_misuse.c          # the heap used wrongly: what, where, by whom
kernel += kernel/memory/heap/heap_sums.c            # what it holds, counted, and who took it
kernel += kernel/memory/check/heap_audit.c          # its invariants H1 to H5, checked

# then what programs will need
kernel += kernel/memory/spaces/object.c             # the pages of files and of shared memory
kernel += kernel/memory/spaces/object_list.c        # which ones there are
kernel += kernel/memory/spaces/object_cut.c         # what is taken away from them, and looked for in them
kernel += kernel/memory/spaces/object_index.c       # the tree that finds a page's frame
kernel += kernel/memory/spaces/object_fill.c        # those that a pager brings, and waiting for them
kernel += kernel/memory/spaces/map.c                # mmap, munmap, mprotect: decided first, then done
kernel += kernel/memory/spaces/map_region.c         # regions of programs: made, split, joined, cut
kernel += kernel/memory/spaces/map_copy.c           # the same pages in a second place: what fork and mremap do
kernel += kernel/memory/spaces/map_move.c           # mremap and remap_file_pages
kernel += kernel/memory/spaces/map_lock.c           # mlock and its relatives
kernel += kernel/memory/spaces/map_residency.c      # mincore: which pages are in memory
kernel += kernel/memory/spaces/populate.c           # memory for a new process, step by step
kernel += kernel/memory/spaces/map_pages.c          # pages at once, also of a given physical place
kernel += kernel/memory/spaces/map_advise.c         # what a program says of its memory
kernel += kernel/memory/spaces/fault_repeat.c       # a fault that comes back unchanged is noticed
kernel += kernel/memory/spaces/fault_verdict.c      # why a fault cannot be handled
kernel += kernel/memory/spaces/zero_frame.c         # the frame of zeros that all share
kernel += kernel/memory/spaces/fault.c              # page faults: facts, the decision, actions

# and how they leave memory
kernel += kernel/memory/pageout/swap.c              # swap slots: packed pages in parts of frames
kernel += kernel/memory/pageout/transfer.c          # frames through which pages go to the swap device and back
kernel += kernel/memory/pageout/page_out.c          # pages that go out, and come back
kernel += kernel/memory/pageout/object_out.c        # the same for pages of files and shared memory
kernel += kernel/memory/pageout/back.c              # those that come back for good: swapoff
kernel += kernel/memory/pageout/hand.c              # which ones: the hand of the clock

# and the proof
kernel += kernel/memory/check/audit.c               # all invariants: in full, or in slices while idle
kernel += kernel/memory/check/audit_cross.c         # what must be true between the parts
kernel += kernel/memory/check/swap_audit.c          # G1 and G2: swap slots
kernel += kernel/memory/check/object_audit.c        # O1 to O4: indexes, mappings, fillings
kernel += kernel/memory/check/disturb.c             # pages leave and move for no reason
kernel += kernel/memory/check/corrupt.c             # breaking each invariant on purpose
kernel += kernel/memory/check/corrupt_frames.c      # frames
kernel += kernel/memory/check/corrupt_tables.c      # tables and regions
kernel += kernel/memory/check/corrupt_parts.c       # heap, stacks, objects

kernel += kernel/process/process_audit.c            # what must be true of processes, threads, timers
kernel += kernel/process/process_corrupt.c          # breaking it, on specimens

# kernel/memory once more: what programs hand to the kernel
kernel += kernel/memory/spaces/user.c               # the only way to a program's memory
kernel += kernel/memory/spaces/buffer.c             # bytes to and from programs, or the kernel itself
kernel += kernel/memory/spaces/user_in.c            # and to that of one who does not run
kernel += kernel/memory/spaces/user_walk.c          # through its tables, where it has no addresses

# kernel/process: programs
kernel += kernel/process/process.c                  # who exists: lists and families, making and freeing processes
kernel += kernel/process/threads.c                  # making and freeing threads
kernel += kernel/process/tour.c                     # going over lists that are as long as programs choose
kernel += kernel/process/schedule.c                 # threads taking turns
kernel += kernel/process/wait.c                     # wait queues: waiting for an event, waking
kernel += kernel/process/sleep_lock.c               # locks that sleep
kernel += kernel/process/errand.c                   # work that is too long for where it is found to be needed
kernel += kernel/process/clock.c                    # time, and what is to happen at a time
kernel += kernel/process/chore.c                    # what is done now and then while threads run
kernel += kernel/process/make_room.c                # frames are short: pages of programs leave
kernel += kernel/process/swap_off.c                 # the swap device put to use, and emptied
kernel += kernel/process/torture.c                  # what a machine in need does, done all the time
kernel += kernel/process/out_of_memory.c            # no frame is left: the process that ends
kernel += kernel/process/numbers.c                  # numbers of processes, threads, groups, sessions
kernel += kernel/process/user_account.c             # what all processes of a user have together
kernel += kernel/process/groups.c                   # supplementary groups
kernel += kernel/process/credentials.c              # users, groups, capabilities, and how they change together
kernel += kernel/process/load.c                     # how busy the machine has been
kernel += kernel/process/machine_names.c            # the names of machine and domain
kernel += kernel/process/last_resort.c              # faults that cannot be dealt with
kernel += kernel/process/usage.c                    # what processes have used
kernel += kernel/process/clone.c                    # fork, vfork, threads
kernel += kernel/process/exit.c                     # the end of threads and processes, and waiting for it
kernel += kernel/process/group.c                    # groups, sessions, one thread to remain
kernel += kernel/process/signal.c                   # signals sent, queued, delivered
kernel += kernel/process/rouse.c                    # telling a process's threads that something has come
kernel += kernel/process/timer_heap.c               # armed timers by when they are due
kernel += kernel/process/timer_table.c              # a process's timers by their numbers
kernel += kernel/process/timers.c                   # alarms
kernel += kernel/process/futex.c                    # waiting for a word of memory
kernel += kernel/init/boot_configuration.c          # what to run, from the boot archive
kernel += kernel/init/crash.c                       # dying on purpose, for those who must notice
kernel += kernel/init/init.c                        # the first program, and the machine's end
kernel += kernel/init/report.c                      # what became of the memory
kernel += kernel/init/snapshot.c                    # all of memory at one moment, in lines for ./quire map
kernel += kernel/init/map_line.c                     # and on the second serial line, also change by change

# kernel/files: files, and what behaves like one
# core: nodes, open files, descriptors, and waiting for them
kernel += kernel/files/core/node.c                       # nodes: counted, written or run, allowed
kernel += kernel/files/core/contents.c                   # regular files: size, holes, seals
kernel += kernel/files/core/file.c                       # open files: reading, writing, positions
kernel += kernel/files/core/descriptor.c                 # the numbers of open files
kernel += kernel/files/core/lock.c                       # record locks
kernel += kernel/files/core/devices.c                    # null, zero, full, random, and others by number
kernel += kernel/files/core/block_file.c                 # /dev/vda
kernel += kernel/files/core/poll_wait.c                  # waiting for several files
kernel += kernel/files/core/epoll.c                      # epoll: the set, and its entries
kernel += kernel/files/core/epoll_wait.c                 # which of them may be ready, and waiting
kernel += kernel/files/core/epoll_nest.c                 # epolls in epolls
kernel += kernel/files/core/event.c                      # event counters
kernel += kernel/files/core/files_audit.c                # what must be true of descriptors and epolls; breaking it
kernel += kernel/files/core/timer_file.c                 # timers that are read
kernel += kernel/files/core/signal_file.c                # signals that are read
# path: names, and where a process is in them
kernel += kernel/files/path/path.c                       # from a path to its node, and new entries
kernel += kernel/files/path/path_open.c                  # open
kernel += kernel/files/path/path_change.c                # remove, link, rename
kernel += kernel/files/path/walk.c                       # from a path to a node
kernel += kernel/files/path/fs_context.c                 # root, working directory, umask; and mounts
kernel += kernel/files/path/missing.c                    # what programs looked for in vain, for the report
# tmpfs: files in memory
kernel += kernel/files/tmpfs/tmpfs.c                     # regular files and links
kernel += kernel/files/tmpfs/tmpfs_folder.c              # folders
# root: the first file system: what every program expects, and the boot archive
kernel += kernel/files/root/root.c                       # what every program expects to find
kernel += kernel/files/root/archive.c                    # the boot archive's memory becomes files'
kernel += kernel/files/root/cpio.c                       # its entries
kernel += kernel/files/root/inflate.c                    # gzip
# ipc: pipes and local sockets
kernel += kernel/files/ipc/pipe.c                        # pipes and fifos
kernel += kernel/files/ipc/pipe_ring.c                   # their pages
kernel += kernel/files/ipc/pipe_splice.c                 # splice and tee
kernel += kernel/files/ipc/socket.c                      # local sockets: as nodes and open files
kernel += kernel/files/ipc/socket_connect.c              # their names and connections
kernel += kernel/files/ipc/socket_data.c                 # and what goes through them
kernel += kernel/files/ipc/socket_passed.c               # open files in messages, and sockets that only messages hold
# terminal: terminals, and the standard streams that are none
kernel += kernel/files/terminal/line_discipline.c        # keys into lines
kernel += kernel/files/terminal/line_discipline_output.c # output onto a screen
kernel += kernel/files/terminal/terminal.c               # a terminal: reading and writing
kernel += kernel/files/terminal/terminal_control.c       # whose it is, and its ioctls
kernel += kernel/files/terminal/terminals.c              # the terminal there is
kernel += kernel/files/terminal/streams.c                # standard streams through the channel
# proc: /proc and /sys
kernel += kernel/files/proc/proc.c                       # the tree of /proc, and its text
kernel += kernel/files/proc/proc_number.c                # its inode numbers
kernel += kernel/files/proc/proc_process.c               # what /proc/PID says
kernel += kernel/files/proc/proc_detail.c                # its smaller files
kernel += kernel/files/proc/proc_memory.c                # its mappings
kernel += kernel/files/proc/proc_contents.c              # its memory itself: mem and pagemap
kernel += kernel/files/proc/proc_system.c                # the machine
kernel += kernel/files/proc/proc_quire.c                 # and our own additions
kernel += kernel/files/proc/sys.c                        # the tree of /sys

# kernel/programs: files that are run
kernel += kernel/programs/elf.c                           # what a program file asks for
kernel += kernel/programs/arguments.c                     # the texts a program is started with
kernel += kernel/programs/image.c                         # a program mapped, and its first stack
kernel += kernel/programs/vdso.c                          # the pages by which it learns the time without a call
kernel += kernel/programs/exec.c                          # a new program in an old process

# kernel/linux: the system calls, a file for each family
kernel += kernel/linux/dispatch.c                   # from a number to a function
kernel += kernel/linux/i386/table.c                 # the numbers of i386
kernel += kernel/linux/i386/names.c                 # their names, for the report
kernel += kernel/linux/i386/socketcall.c            # all socket calls in one
kernel += kernel/linux/i386/program.c               # programs' traps
kernel += kernel/linux/i386/registers.c             # programs' registers, for portable code
kernel += kernel/linux/i386/thread.c                # a thread's stack, TLS and FPU
kernel += kernel/linux/i386/signal_frame.c          # what a signal handler finds on its stack
kernel += kernel/linux/credentials.c                # who a process is
kernel += kernel/linux/prctl.c                      # what it says of itself
kernel += kernel/linux/limits.c                     # what it may use at most
kernel += kernel/linux/priority.c                   # how nice it is
kernel += kernel/linux/process.c                    # processes
kernel += kernel/linux/signal.c                     # signals
kernel += kernel/linux/time.c                       # clocks and timers
kernel += kernel/linux/futex.c                      # futexes
kernel += kernel/linux/memory.c                     # mappings
kernel += kernel/linux/process_vm.c                 # bytes from one process to another
kernel += kernel/linux/system.c                     # limits, names, odds and ends
kernel += kernel/linux/file.c                       # opening and closing
kernel += kernel/linux/file_move.c                  # read, write and their relatives
kernel += kernel/linux/file_size.c                  # positions and sizes
kernel += kernel/linux/files.c                      # descriptors and paths, for all of these
kernel += kernel/linux/fcntl.c                      # fcntl, ioctl, flock
kernel += kernel/linux/path.c                       # open, link, rename
kernel += kernel/linux/folder.c                     # reading folders
kernel += kernel/linux/stat.c                       # stat and its forms
kernel += kernel/linux/attribute.c                  # modes, owners, times
kernel += kernel/linux/copy.c                       # from file to file
kernel += kernel/linux/splice.c                     # to and from pipes
kernel += kernel/linux/messages.c                   # vectors of pieces that are one message
kernel += kernel/linux/poll.c                       # poll, select, epoll
kernel += kernel/linux/event_files.c                # descriptors of counters, timers, signals
kernel += kernel/linux/socket.c                     # sockets: making, naming, connecting
kernel += kernel/linux/socket_option.c              # their options
kernel += kernel/linux/socket_message.c             # and what goes through them
kernel += kernel/linux/swap.c                       # swapon, swapoff
kernel += kernel/linux/mount.c                      # mounts

# kernel/devices: the few devices there are
kernel += kernel/devices/serial.c                   # the serial line
kernel += kernel/devices/screen.c                   # the screen: from bytes to cells
kernel += kernel/devices/vga.c                      # cells of the PC's text mode
kernel += kernel/devices/pixels.c                   # cells drawn with the font that kernels for GRUB have
kernel += kernel/devices/keys.c                     # from scan codes to bytes
kernel += kernel/devices/keyboard.c                 # the keyboard
kernel += kernel/devices/acpi.c                     # what firmware's tables say of switching off
kernel += kernel/devices/acpi_off.c                 # switching off
kernel += kernel/devices/pci.c                      # which addresses belong to devices
kernel += kernel/devices/virtio.c                   # rings of buffers to a virtual machine's devices
kernel += kernel/devices/virtio_mmio.c              # their registers: announced on the command line
kernel += kernel/devices/virtio_pci.c               # or on the PCI bus
kernel += kernel/devices/virtio_console.c           # a port: bytes to the host and back
kernel += kernel/devices/virtio_block.c             # pages to the host's file and back
kernel += kernel/devices/channel_frames.c           # frames in bytes, credit for input
kernel += kernel/devices/channel_link.c             # our end of the channel to the host

# kernel/console: the commands of the serial line
kernel += kernel/console/console.c                  # prompt, line, command, answer
kernel += kernel/console/line.c                     # editing a line
kernel += kernel/console/words.c                    # command text taken apart
kernel += kernel/console/show.c                     # addresses, sizes and rights in words
kernel += kernel/console/commands.c                 # the table of all commands
kernel += kernel/console/picture.c                  # map: kernel space, drawn
kernel += kernel/console/flat.c                     # programs built into the kernel, and their processes
kernel += kernel/console/processes.c                # start, processes, kill, wait
kernel += kernel/console/process_commands.c         # what these add to the table of commands
kernel += kernel/console/document.c                 # layout, claims
kernel += kernel/console/tables.c                   # entry
kernel += kernel/console/frames.c                   # frames, physical, alloc, free
kernel += kernel/console/parts.c                    # heap, stacks
kernel += kernel/console/checks.c                   # audit, break
kernel += kernel/console/crash.c                    # stopping the machine on purpose
kernel += kernel/console/machine.c                  # devices, version, and ways to leave
kernel += kernel/console/benchmark.c                # what operations cost

# kernel/claims: what a document promises, shown
kernel += kernel/claims/claims.c                    # going through the document's claims
kernel += kernel/claims/probe.c                     # walking, reading and taking, for the probes
kernel += kernel/claims/told.c                      # what the boot loader and the devices said
kernel += kernel/claims/made.c                      # machines that are not at hand, for the code that reads them
kernel += kernel/claims/digest.c                    # what a probe must leave as it was
kernel += kernel/claims/mutations.c                 # making a claim untrue, so that its probe is seen to notice

# arch/i386: everything that knows the processor
kernel += arch/i386/entry.S                         # the first instructions at the kernel's own addresses
kernel += arch/i386/stretch.c                       # how long interrupts are off, in checked builds
kernel += arch/i386/page.c                          # whole pages, sixteen bytes at a time
kernel += arch/i386/cpu_facts.c                     # what the processor says of itself
kernel += arch/i386/mmu.c                           # what the processor has, and forgetting translations
kernel += arch/i386/descriptor.c                    # segments, tasks and gates
kernel += arch/i386/trap.S                          # the way in for every vector
kernel += arch/i386/trap_entry.S                    # to C, and back
kernel += arch/i386/trap.c                          # who deals with a trap
kernel += arch/i386/trap_report.c                   # a trap in words, for a panic
kernel += arch/i386/fpu.c                           # the registers for floating point
kernel += arch/i386/inspect.c                       # the registers that name the processor's tables
kernel += arch/i386/switch.S                        # running on another stack
kernel += arch/i386/pic.c                           # the interrupt controllers
kernel += arch/i386/timer.c                         # the interval timer
kernel += arch/i386/apic.c                          # the local APIC's timer
kernel += arch/i386/alarm.c                         # which of the two rings
kernel += arch/i386/pci_ports.c                     # PCI configuration space
kernel += arch/i386/power.c                         # ways out
kernel += arch/i386/clock.c                         # where time comes from
kernel += arch/i386/thread_switch.S                 # from one stack to another
kernel += arch/i386/user_copy.S                     # copying where a fault may happen

# ---- What a document has to do with it ------------------------------------------------

# Sources that look at the document's own header, layout.h. Every other object is the same for all layouts and is
# compiled once; none but these can include that header. A test counts them.
by_layout  = boot/start.S                               # where the kernel is
by_layout += kernel/memory/start.c kernel/memory/spaces/kernel_space.c kernel/memory/spaces/space.c # table access
by_layout += kernel/memory/check/audit.c kernel/linux/i386/thread.c                                  # and again
by_layout += $(addprefix kernel/memory/tables/,table.c cursor.c cursor_tables.c)
by_layout += kernel/process/exit.c kernel/process/group.c kernel/linux/dispatch.c      # programs of the kernel's own
by_layout += kernel/init/main.c                                                       # and again
by_layout += arch/host/image.c                          # host tests: where the kernel's image would be
by_layout += tests/host/test_cursor_flush.c
by_layout += tests/claims/programs.c                    # registers that a layout keeps of threads

# Tests that make a layout of their own out of the compiled document (tests/host/own_document.h).
own_documents = $(wildcard tests/host/test_*_document.c)
by_layout += $(own_documents)

# Each layout's own sources are listed beside them, and so is what of a document they belong to: a word that layout.h
# then has (LAYOUT_WORD). Another document that has the word gets them as well. For a word,
#
#   only_WORD       sources that are linked where the document has it, and nowhere else
#   needs_WORD      words without which it does not count: claims about a window need the window
#   without_WORD    sources of the kernel that these take the place of
#   adds_WORD       sets of rows that they add to the kernel's tables (base/rows.h), by the table's name: movos_commands
#
choices := START_ADDRESS
only_START_ADDRESS = $(addprefix kernel/console/,flat.c processes.c process_commands.c)
adds_START_ADDRESS = flat_commands
include $(wildcard layouts/*/sources.mk)

# The tables, and the sets of them that all kernels have; what a row is and where the table is declared.
tables = invariants audits corruptions probes mutations commands shortages
adds   = memory_invariants process_invariants files_invariants process_audits files_audits memory_corruptions \
         process_corruptions files_corruptions console_commands
table_invariants  = struct invariant      invariants       memory/audit.h
table_audits      = struct audit_part     audits           memory/audit.h
table_corruptions = struct corruption     corruptions      memory/check/corrupt.h
table_probes      = struct claim_probe    claim_probes     claims/claims.h
table_mutations   = struct claim_mutation claim_mutations  claims/claims.h
table_commands    = struct command        commands         console/console.h
table_shortages   = struct shortage       shortages        memory/tables/shortage.h

# ---- The kernel that only runs programs -------------------------------------------------

# kernel-run.elf, which `./quire run` boots, is made of the same objects without these: console, claims, checks,
# snapshots, the report, the names of functions and calls, and what only other machines than a microvm or other archives
# than those of `./quire run` need. They may be taken out of the tree, and it still can be made.
aside = claims.c claims_% mutations.c corrupt.c audit.c console.c commands.c
whole = $(filter kernel/memory/check/% %/torture.c %/process_audit.c %/process_corrupt.c %/files_audit.c,$(kernel)) \
        $(filter kernel/claims/% kernel/console/%,$(kernel)) \
        $(addprefix kernel/init/,console.c checks.c snapshot.c map_line.c report.c) kernel/base/symbol.c \
        kernel/linux/i386/names.c kernel/files/path/missing.c kernel/files/root/inflate.c \
        $(addprefix kernel/devices/,screen.c vga.c pixels.c acpi.c acpi_off.c pci.c virtio_pci.c keyboard.c keys.c) \
        $(foreach source,$(filter layouts/%,$(kernel)),$(if $(filter $(aside),$(notdir $(source))),$(source)))
run   = $(filter-out $(whole),$(kernel)) $(run_only)
run_only = kernel/init/run_only.c                   # what it answers instead

# Sources of the kernel that are compiled to be small: nothing in them is on the way of a program that does its work.
cold  = $(run_only) $(filter kernel/console/% kernel/claims/% kernel/memory/check/% kernel/init/% \
        kernel/files/proc/% kernel/files/root/cpio.c \
                 kernel/files/root/root.c kernel/files/root/archive.c layouts/%,$(kernel))
cold += kernel/memory/start.c kernel/memory/frames/memmap.c kernel/memory/heap/heap_misuse.c \
        $(addprefix kernel/memory/spaces/,kernel_space.c fault_verdict.c map_copy.c map_move.c map_lock.c) \
        $(addprefix kernel/memory/spaces/,map_pages.c map_residency.c map_advise.c window.c) \
        $(addprefix kernel/memory/spaces/,object_fill.c object_list.c object_cut.c) \
        $(filter kernel/memory/pageout/%,$(kernel))
cold += $(addprefix kernel/linux/,attribute.c event_files.c mount.c limits.c priority.c prctl.c credentials.c \
        process_vm.c copy.c splice.c messages.c folder.c time.c system.c) \
        $(addprefix kernel/process/,credentials.c groups.c make_room.c out_of_memory.c last_resort.c process_audit.c \
        process_corrupt.c timer_table.c load.c machine_names.c) \
        kernel/files/core/files_audit.c
cold += $(filter-out %/virtio.c %/virtio_console.c %/channel_frames.c, \
            $(filter kernel/devices/%,$(kernel)))
cold += $(addprefix kernel/linux/,path.c socket.c socket_message.c socket_option.c fcntl.c stat.c process.c) \
        kernel/linux/file_size.c kernel/linux/signal.c kernel/linux/file.c
cold += $(addprefix kernel/files/core/,lock.c event.c timer_file.c signal_file.c devices.c block_file.c) \
        $(addprefix kernel/files/core/,epoll.c epoll_nest.c) \
        kernel/files/core/poll_wait.c \
        kernel/files/core/contents.c \
        $(filter kernel/files/terminal/%,$(kernel)) \
        $(filter kernel/files/path/%,$(kernel)) \
        kernel/files/tmpfs/tmpfs_folder.c kernel/files/tmpfs/tmpfs.c \
        $(addprefix kernel/files/ipc/,socket.c socket_connect.c socket_passed.c socket_data.c)
cold += kernel/files/ipc/pipe_splice.c $(addprefix kernel/memory/,heap/heap_sums.c heap/heap_big.c spaces/user_in.c) \
        $(addprefix kernel/process/,group.c exit.c rouse.c errand.c)
cold += $(addprefix kernel/base/,print.c random.c rate.c block.c) kernel/linux/swap.c \
        $(addprefix kernel/process/,tour.c chore.c swap_off.c) kernel/linux/files.c \
        $(addprefix kernel/programs/,arguments.c exec.c image.c elf.c vdso.c)
cold += $(addprefix kernel/process/,threads.c timers.c user_account.c usage.c out_of_memory.c numbers.c clone.c)
cold += $(addprefix kernel/linux/i386/,socketcall.c thread.c) kernel/memory/spaces/layout_region.c
cold += $(addprefix arch/i386/,apic.c trap_report.c inspect.c pic.c pci_ports.c power.c cpu_facts.c descriptor.c)
cold += $(addprefix arch/i386/,timer.c alarm.c fpu.c) $(addprefix kernel/devices/,virtio.c channel_frames.c) \
        kernel/base/number.c kernel/process/process.c kernel/linux/memory.c \
        $(addprefix kernel/memory/,frames/next_page.c frames/frame_sums.c heap/heap_pages.c heap/stack.c \
        spaces/fault_repeat.c spaces/zero_frame.c spaces/space.c tables/cursor_tables.c spaces/object_index.c) \
        kernel/process/sleep_lock.c kernel/process/timer_heap.c kernel/files/core/node.c
# These are, but no operation of bench/budgets.txt costs more by 1.2 % for it: a signal still costs less than before all
# was compiled in the i386's way, and of a heap or a clock the common case is elsewhere.
cold += $(addprefix kernel/process/,signal.c clock.c) kernel/linux/i386/signal_frame.c arch/i386/clock.c \
        $(addprefix kernel/,linux/futex.c linux/file_move.c memory/heap/heap_slab.c memory/spaces/populate.c)
hot   = $(addprefix layouts/,movos/tables.c pat/user_copy.c) \
        $(addprefix layouts/tracker/,tables.c master.c)
cold := $(filter-out %.S $(hot),$(cold))

# Sources on the way of programs that take fewer instructions in an i686's way (build.mk). An i386's multiplies by
# constants, for hashes and for places in arrays, with many shifts and sums, and clears and copies a few words in a
# loop.
as_i686 = $(addprefix kernel/base/,compress.c divide.c) kernel/linux/poll.c \
          $(addprefix kernel/process/,futex.c wait.c) \
          $(addprefix kernel/files/,core/file.c core/descriptor.c core/epoll_wait.c ipc/pipe.c) \
          $(addprefix kernel/memory/,frames/pool.c frames/frame_magazine.c tables/cursor_run.c \
          tables/cursor_copy.c spaces/region.c)

# ---- Programs that are built into kernels whose document has a start address: a flat image each ----------

flat_folder := user
flat = ticker spinner brief wild large peek

# ---- The vDSO: a shared object inside the kernel, by which programs learn the time without a call ----------

vdso  = arch/i386/vdso/entry.S          # where they make their calls
vdso += arch/i386/vdso/vdso.c           # the clocks

# ---- From a BIOS to the kernel: the same for every layout, put into images by ./quire image ----------

sector    = boot/bios/sector.S          # 512 bytes at 0x7C00: loads all below the EBDA
relocator = boot/bios/enter.S           # at 0x8000: to protected mode, and to the BIOS and back
relocator += boot/bios/relocator.c      # the order of things, from the loaded image to the kernel
relocator += boot/bios/memory.c         # A20, and the BIOS's memory map
relocator += boot/bios/disk.c           # the archive's sectors
relocator += boot/bios/say.c            # why it cannot go on

# ---- The host command and the layout compiler -----------------------------------------

library  = $(wildcard tools/libquire/*.c)       # a program in a sandbox, for other programs: libquire.so
command  = $(library) $(wildcard tools/quire/*.c)       # ./quire and its subcommands, around the same objects
drawing  = $(wildcard tools/map/*.c)    # snapshot of a running machine -> columns -> drawings
compiler = $(wildcard tools/layout/*.c) # document -> linker script, tables, constants, picture

# The page: modules for a browser, beside web/module.c and the one that is called like it.
web_layout = $(filter-out %/picture_text.c tools/layout/emit%,$(compiler))
web_map    = $(filter-out %/draw_text.c,$(drawing)) \
             $(addprefix tools/layout/,source.c drawing.c words.c quantity.c cells.c)

# ---- Tests and measurements -----------------------------------------------------------

# The memory manager on a machine in plain memory (arch/host): what is linked into it.
machine  = $(filter kernel/memory/%,$(kernel)) $(machine_layouts) $(wildcard arch/host/*.c) \
           $(machine_base) $(machine_console) $(machine_files)
machine_base = tests/host/no_processes.c tests/host/no_files.c \
               $(filter-out %/process_audit.c %/process_corrupt.c,$(filter kernel/process/%,$(kernel))) \
               $(addprefix kernel/base/,bitset.c number.c print.c string.c lock.c rwlock.c divide.c rate.c) \
               $(addprefix kernel/base/,compress.c block.c) \
               $(addprefix boot/,physical.c multiboot.c pvh.c bios.c) \
               $(addprefix kernel/devices/,pci.c channel_frames.c keys.c acpi.c screen.c virtio.c virtio_block.c) \
               kernel/files/terminal/line_discipline.c kernel/files/terminal/line_discipline_output.c
# Files, as far as they need no processes but one.
machine_files = $(addprefix kernel/files/core/,node.c contents.c file.c descriptor.c lock.c poll_wait.c) \
                $(addprefix kernel/files/core/,epoll.c epoll_wait.c epoll_nest.c event.c devices.c block_file.c) \
                $(addprefix kernel/files/path/,path.c path_open.c path_change.c walk.c missing.c fs_context.c) \
                $(addprefix kernel/files/,tmpfs/tmpfs.c tmpfs/tmpfs_folder.c root/cpio.c root/inflate.c) \
                $(addprefix kernel/files/ipc/,pipe.c pipe_ring.c pipe_splice.c) \
                $(addprefix kernel/files/ipc/,socket.c socket_connect.c socket_data.c socket_passed.c) \
                kernel/process/user_account.c
# The console without the commands that stop a real machine or ask its devices.
machine_console = $(filter-out %/machine.c %/crash.c %/flat.c %/processes.c,$(filter kernel/console/%,$(kernel)))
# Fuzzers feed what reads data from outside, on the memory manager and on files: they are linked without these.
fuzzed_process = $(filter-out %/groups.c %/numbers.c %/user_account.c,$(filter kernel/process/%,$(machine)))
machine_fuzzed = $(filter-out kernel/console/% kernel/devices/% kernel/files/terminal/% %/corrupt.c %/commands.c \
                 kernel/memory/check/corrupt_% $(fuzzed_process) $(addprefix kernel/memory/spaces/,map_copy.c \
                 map_move.c map_advise.c map_pages.c map_residency.c populate.c user_in.c user_walk.c) \
                 $(addprefix kernel/files/,core/descriptor.c core/event.c core/poll_wait.c ipc/pipe_splice.c),$(machine))

# Tests of the layout compiler need no layout; all others run under each of LAYOUTS.
tool_tests    = $(wildcard tests/host/test_layout*.c)
machine_tests = $(filter-out $(tool_tests),$(wildcard tests/host/test_*.c layouts/*/tests/test_*.c))
tool_fuzz     = $(wildcard tests/fuzz/fuzz_layout*.c tests/fuzz/fuzz_snapshot*.c)
machine_fuzz  = $(filter-out $(tool_fuzz),$(wildcard tests/fuzz/fuzz_*.c))
benches       = $(wildcard bench/bench_*.c)
