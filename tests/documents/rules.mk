# rules.mk - documents changed by chance: the program that each of their kernels runs.

documents-program: $(O)/documents/fill

$(O)/documents/fill: tests/documents/fill.c tests/calls/guest.c tests/calls/guest.h | $(O)/setup-build
	@mkdir -p $(@D)
	$(call note,guest,$@)$(CC) $(CALLS_FLAGS) -I. -o $@ $(filter %.c,$^)
