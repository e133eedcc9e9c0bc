# sources.mk - a kernel space that programs do not share.
# What these lists mean is in the tree's own sources.mk.

kernel += layouts/pat/entry.S                       # from a trap to C and back
kernel += layouts/pat/user_copy.c                   # a program's memory by its tables
kernel += layouts/pat/claims.c                      # the probes of layouts/pat/layout.md: pages
kernel += layouts/pat/claims_spaces.c               # and spaces
kernel += layouts/pat/mutations.c                   # and what makes some of them fail

choices += KERNEL_HAS_OWN CLAIMS_K
only_KERNEL_HAS_OWN    = $(addprefix layouts/pat/,entry.S user_copy.c)
without_KERNEL_HAS_OWN = $(addprefix arch/i386/,trap_entry.S user_copy.S)
only_CLAIMS_K          = $(addprefix layouts/pat/,claims.c claims_spaces.c mutations.c)
adds_CLAIMS_K          = pat_probes pat_mutations
