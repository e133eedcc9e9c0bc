# rules.mk - the probes of a document's claims on the machine in plain memory: a program for each layout.

# claims_with: sources of a layout that its probes need, from its sources.mk.
#
# Some probes name the i386's own tables: its headers stand behind the port's, whose thread comes first.
CLAIM_FLAGS = $(TEST_FLAGS) -include arch/host/thread.h -Itests/claims -Ikernel/linux/i386 -idirafter arch/i386
# What own.ld.S takes out of these has addresses far from the rest, and sections of its own.
OWN_FLAGS   = -mcmodel=large -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables --param=asan-globals=0
claims_own  = $(addprefix layouts/,firmware/claims_rights.c firmware/mutations.c higher-half/claims_spaces.c)

claim_sources = $(filter kernel/claims/%,$(kernel)) $(foreach word,$(filter CLAIMS_%,$(choices)),$(only_$(word))) \
                $(addprefix kernel/linux/i386/,program.c registers.c signal_frame.c) kernel/linux/dispatch.c \
                kernel/console/flat.c $(addprefix tests/claims/,claims.c absent.c image.c processor.c programs.c) \
                $(claims_with)

# Programs' memory is copied by walking their tables, under every document.
claim_copies = layouts/pat/user_copy.c

claims_objects     := $(O)/objects/claims
claims-own_objects := $(O)/objects/claims-own
$(eval $(call once_or_layout,claims,$(CC) $(CLAIM_FLAGS),$(test_setup)))
$(eval $(call once_or_layout,claims-own,$(CC) $(CLAIM_FLAGS) $(OWN_FLAGS),$(test_setup)))

# $(call claim_objects,SOURCES): their objects.
claim_objects = $(call objects,claims,$(filter-out $(claims_own),$(1))) \
                $(call objects,claims-own,$(filter $(claims_own),$(1)))

claim_tables := $(patsubst %,$(B)/claims/layout/%.c.o,probes mutations)

# Programs for its processor: the flat ones, and the document's applications, linked for the image that the machine has.
has_applications := $(call says,at first)
claim_programs   := $(if $(has_start),$(B)/claims/programs.o) $(if $(has_applications),$(B)/claims/applications.o)

$(B)/claims/programs.o: $(flat_folder)/programs.S $(flat_images)
	@mkdir -p $(@D)
	@$(CC) -Wa,-I$(B)/user -c -o $@ $<

application_code = $(call objects,kernel,$(filter layouts/firmware/apps/%,$(kernel)) \
                       $(addprefix kernel/base/,print.c string.c divide.c))

$(B)/claims/%.ld: tests/claims/%.ld.S $(L)/layout.h
	@mkdir -p $(@D)
	@$(CC) -E -P -x assembler-with-cpp -D__ASSEMBLER__ -I$(L) -I. -o $@ $<

# The names of functions and shared variables of applications, for the table of them.
$(B)/claims/applications.bin $(B)/claims/applications.names &: $(B)/claims/applications.ld $(application_code)
	@ld -m elf_i386 --gc-sections --no-warn-rwx-segments -T $< -o $(B)/claims/applications.elf $(filter %.o,$^)
	@objcopy -O binary $(B)/claims/applications.elf $(B)/claims/applications.bin
	@$(NM) $(B)/claims/applications.elf | sed -n 's/^\([0-9a-f]*\) . \(app_.*\)/\2 = 0x\1;/p' \
	    > $(B)/claims/applications.names

$(B)/claims/applications.o: tests/claims/applications.S $(B)/claims/applications.bin
	@$(CC) -Wa,-I$(B)/claims -c -o $@ $<

claim_linked = $(call claim_objects,$(claim_sources) $(claim_copies)) $(claim_tables) $(claim_programs)

$(eval $(call listed,$(B)/claims/linked,$(claim_linked)))

# Which probes these are, the document chooses.
$(B)/claims-on-host: $(claim_linked) $(B)/port/machine.a $(L)/features $(B)/claims/own.ld $(B)/claims/linked
	$(call note,link,$@)$(CC) $(TEST_FLAGS) -no-pie -o $@ \
	    $(call claim_objects,$(call chosen,$(claim_sources)) $(claim_copies)) $(claim_tables) $(claim_programs) \
	    $(if $(has_applications),$(B)/claims/applications.names) $(B)/port/machine.a -Wl,-T,$(B)/claims/own.ld

-include $(patsubst %.o,%.d,$(call claim_objects,$(claim_sources) $(claim_copies)) $(claim_tables))
