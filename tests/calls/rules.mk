# rules.mk - programs that attack the kernel from inside: static, without a C library, for Quire and for Linux alike.

calls_sources := $(addprefix tests/calls/,calls.c clean.c worker.c values.c structures.c templates.c sequences.c \
                 frames.c programs.c instructions.c guest.c)
calls_programs = $(addprefix $(O)/calls/,calls findings init differ traces fail spaces)

task_sources   := tests/calls/tasks.c tests/calls/probe.c tests/calls/guest.c
task_headers   := tests/calls/tasks.h tests/calls/guest.h
differ_sources := $(addprefix tests/calls/differ/,differ.c files.c descriptors.c channels.c memory.c signals.c \
                  processes.c) $(task_sources)
traces_sources := $(addprefix tests/calls/traces/,traces.c look.c steps.c mappings.c) $(task_sources)

fail_sources   := $(addprefix tests/calls/fail/,fail.c calls.c world.c) tests/calls/guest.c

# strlen() must not be made of itself.
CALLS_FLAGS = $(GUEST_FLAGS) -fno-tree-loop-distribute-patterns

calls-programs: $(calls_programs)

$(O)/calls/calls: $(calls_sources) tests/calls/fuzzer.h tests/calls/guest.h | $(O)/setup-build
	@mkdir -p $(@D)
	$(call note,guest,$@)$(CC) $(CALLS_FLAGS) -o $@ $(calls_sources)

$(O)/calls/differ: $(differ_sources) tests/calls/differ/differ.h $(task_headers) | $(O)/setup-build
	@mkdir -p $(@D)
	$(call note,guest,$@)$(CC) $(CALLS_FLAGS) -o $@ $(differ_sources)

$(O)/calls/traces: $(traces_sources) tests/calls/traces/traces.h $(task_headers) | $(O)/setup-build
	@mkdir -p $(@D)
	$(call note,guest,$@)$(CC) $(CALLS_FLAGS) -o $@ $(traces_sources)

$(O)/calls/fail: $(fail_sources) tests/calls/fail/fail.h tests/calls/guest.h | $(O)/setup-build
	@mkdir -p $(@D)
	$(call note,guest,$@)$(CC) $(CALLS_FLAGS) -o $@ $(fail_sources)

$(O)/calls/%: tests/calls/%.c tests/calls/guest.c tests/calls/guest.h | $(O)/setup-build
	@mkdir -p $(@D)
	$(call note,guest,$@)$(CC) $(CALLS_FLAGS) -o $@ $< tests/calls/guest.c
