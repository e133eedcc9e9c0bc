# rules.mk - changes that make a claim untrue: what mutations.py asks make about a kernel's parts.

# Of a kernel that is there: what was linked, and from which sources those parts are that are made of several.
mutant_boot   = $(call objects,kernel,$(boot))
mutant_bios   = $(call in,bios,$(relocator))
mutant_asks   = linked run_linked UNPADDED AS_PVH KERNEL_FLAGS LINK_FLAGS AS_MULTIBOOT BIOS_FLAGS TEST_FLAGS \
                TOOL_FLAGS TESTED SANITIZERS cold boot mutant_boot mutant_bios B L

mutant-parts:
	@$(foreach ask,$(mutant_asks),echo '$(ask) $($(ask))';)
