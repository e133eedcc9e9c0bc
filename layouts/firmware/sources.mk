# sources.mk - applications that are part of the image, and variables of which each has a copy.
# What these lists mean is in the tree's own sources.mk.

kernel += layouts/firmware/shared.c                 # variables of which each process has a copy
kernel += layouts/firmware/application.c            # the memory of a built-in application
kernel += layouts/firmware/builtin.c                # applications that are linked into the image
kernel += layouts/firmware/console.c                # apps, start
kernel += layouts/firmware/apps/app.c               # what they all need
kernel += layouts/firmware/apps/apps.c              # the list of them
kernel += layouts/firmware/apps/demonstrations.c    # each shows one thing
kernel += layouts/firmware/apps/probe.c             # tries one access
kernel += layouts/firmware/claims.c                 # the probes of layouts/firmware/layout.md
kernel += layouts/firmware/claims_rights.c          # the eight of them about rights
kernel += layouts/firmware/mutations.c              # making some of these claims untrue
kernel += layouts/firmware/commands.c               # what they add to the table of commands

choices += APPLICATIONS CLAIMS_G
only_APPLICATIONS = $(filter layouts/firmware/apps/%,$(kernel)) $(addprefix layouts/firmware/,builtin.c console.c commands.c)
adds_APPLICATIONS = firmware_commands
needs_CLAIMS_G    = APPLICATIONS
only_CLAIMS_G     = $(addprefix layouts/firmware/,claims.c claims_rights.c mutations.c)
adds_CLAIMS_G     = firmware_probes firmware_mutations

# What of it the machine in plain memory has, and what its probes need there.
claims_with     += $(addprefix layouts/firmware/,builtin.c apps/apps.c)
machine_layouts += $(addprefix layouts/firmware/,shared.c application.c commands.c)
by_layout       += $(addprefix layouts/firmware/tests/,test_firmware.c test_mmu_firmware.c)
