# rules.mk - the mixed load: one static program without a C library, beside what it shares with tests/calls.

mixed_sources := $(addprefix tests/mixed/,mixed.c files.c streams.c processes.c memory.c) tests/calls/guest.c

mixed-program: $(O)/mixed/mixed

$(O)/mixed/mixed: $(mixed_sources) tests/mixed/mixed.h tests/calls/guest.h | $(O)/setup-build
	@mkdir -p $(@D)
	$(call note,guest,$@)$(CC) $(CALLS_FLAGS) -o $@ $(mixed_sources)
