# sources.mk - page tables that are tracked objects.
# What these lists mean is in the tree's own sources.mk.

kernel += layouts/tracker/master.c                  # kernel space's page-table object, where tables are tracked
kernel += layouts/tracker/tables.c                  # page-table objects that grow and move
kernel += layouts/tracker/out.c                     # and tables of them that leave memory
kernel += layouts/tracker/tracker.c                 # where each of them is
kernel += layouts/tracker/list.c                    # and what lies at each place
kernel += layouts/tracker/audit.c                   # their invariants E1 to E5, checked
kernel += layouts/tracker/corrupt.c                 # page-table objects, their trackers, the master table
kernel += layouts/tracker/claims.c                  # the probes of layouts/tracker/layout.md: single objects
kernel += layouts/tracker/claims_many.c             # many of them
kernel += layouts/tracker/claims_master.c           # the kernel's own
kernel += layouts/tracker/commands.c                # trackers, objects, pins
kernel += layouts/tracker/mutations.c               # making some of these claims untrue

choices += ACCESS_TRACKED CLAIMS_T
only_ACCESS_TRACKED = $(addprefix layouts/tracker/,master.c tables.c out.c tracker.c list.c audit.c corrupt.c \
                                                  commands.c)
without_ACCESS_TRACKED = kernel/memory/tables/tables_stay.c
adds_ACCESS_TRACKED = tracker_invariants tracker_corruptions tracker_commands
needs_CLAIMS_T      = ACCESS_TRACKED
only_CLAIMS_T       = $(addprefix layouts/tracker/,claims.c claims_many.c claims_master.c mutations.c)
adds_CLAIMS_T       = tracker_probes tracker_mutations

# What of it the machine in plain memory has.
machine_layouts += $(only_ACCESS_TRACKED)
by_layout       += $(wildcard layouts/tracker/tests/test_*.c)
