# sources.mk - processes' structures and tables in a window; programs that are built in.
# What these lists mean is in the tree's own sources.mk.

kernel += layouts/movos/populate.c                  # memory for a new process, step by step
kernel += layouts/movos/tables.c                    # processes' tables in a window of kernel space
kernel += layouts/movos/corrupt.c                   # the window of processes' tables
kernel += layouts/movos/flat.c                      # programs built into the kernel, and their processes
kernel += layouts/movos/console.c                   # start, processes, kill, wait
kernel += layouts/movos/claims.c                    # the probes of layouts/movos/layout.md: frames, tables, bookkeeping
kernel += layouts/movos/claims_boot.c               # the way from the BIOS
kernel += layouts/movos/claims_processes.c          # processes, made and ended
kernel += layouts/movos/mutations.c                 # and what makes some of them fail
kernel += layouts/movos/commands.c                  # what they add to the table of commands

choices += ACCESS_WINDOW START_ADDRESS CLAIMS_M
only_ACCESS_WINDOW = $(addprefix layouts/movos/,tables.c corrupt.c)
adds_ACCESS_WINDOW = movos_invariants movos_corruptions
only_START_ADDRESS = $(addprefix layouts/movos/,flat.c console.c commands.c)
adds_START_ADDRESS = movos_commands
only_CLAIMS_M      = $(addprefix layouts/movos/,claims.c claims_boot.c claims_processes.c mutations.c)
adds_CLAIMS_M      = movos_probes movos_mutations

# Programs that are built into kernels whose document has a start address: a flat image each.
flat_folder := layouts/movos/programs
flat = ticker spinner brief wild large peek

# What of it the machine in plain memory has.
machine_layouts += $(addprefix layouts/movos/,populate.c tables.c corrupt.c commands.c)
by_layout       += layouts/movos/tests/test_table_window.c
