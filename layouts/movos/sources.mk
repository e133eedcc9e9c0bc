# sources.mk - processes' structures and tables in a window.
# What these lists mean is in the tree's own sources.mk.

kernel += layouts/movos/tables.c                    # processes' tables in a window of kernel space
kernel += layouts/movos/corrupt.c                   # the window of processes' tables
kernel += layouts/movos/commands.c                  # window
kernel += layouts/movos/claims.c                    # the probes of layouts/movos/layout.md: frames, tables, bookkeeping
kernel += layouts/movos/claims_boot.c               # the way from the BIOS
kernel += layouts/movos/claims_processes.c          # processes, made and ended
kernel += layouts/movos/mutations.c                 # and what makes some of them fail

choices += ACCESS_WINDOW CLAIMS_M
only_ACCESS_WINDOW = $(addprefix layouts/movos/,tables.c corrupt.c commands.c)
adds_ACCESS_WINDOW = movos_invariants movos_corruptions movos_shortages movos_commands
needs_CLAIMS_M     = ACCESS_WINDOW
only_CLAIMS_M      = $(addprefix layouts/movos/,claims.c claims_boot.c claims_processes.c mutations.c)
adds_CLAIMS_M      = movos_probes movos_mutations


# What of it the machine in plain memory has.
machine_layouts += $(addprefix layouts/movos/,tables.c corrupt.c commands.c)
by_layout       += layouts/movos/tests/test_table_window.c
