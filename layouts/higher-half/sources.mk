# sources.mk - the claims of its document.
# What these lists mean is in the tree's own sources.mk.

kernel += layouts/higher-half/claims.c              # the probes of layouts/higher-half/layout.md: frames
kernel += layouts/higher-half/claims_spaces.c       # and addresses
kernel += layouts/higher-half/mutations.c           # making some of these claims untrue

choices += CLAIMS_A
only_CLAIMS_A = $(addprefix layouts/higher-half/,claims.c claims_spaces.c mutations.c)
adds_CLAIMS_A = higher_half_probes higher_half_mutations
