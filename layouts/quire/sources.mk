# sources.mk - the claims of the default document.
# What these lists mean is in the tree's own sources.mk.

kernel += layouts/quire/claims.c                    # the probes of layouts/quire/layout.md
kernel += layouts/quire/mutations.c                 # making some of these claims untrue

choices += CLAIMS_Q
only_CLAIMS_Q = $(addprefix layouts/quire/,claims.c mutations.c)
adds_CLAIMS_Q = quire_probes quire_mutations
