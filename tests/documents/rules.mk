# rules.mk - documents changed by chance: the program that each of their kernels runs, at its address and at any.

documents-program: $(O)/documents/fill $(O)/documents/anywhere

fill_sources = tests/documents/fill.c tests/calls/guest.c

$(O)/documents/fill: $(fill_sources) tests/calls/guest.h | $(O)/setup-build
	@mkdir -p $(@D)
	$(call note,guest,$@)$(CC) $(CALLS_FLAGS) -I. -o $@ $(fill_sources)

# Nothing in it is an address, so that nobody need relocate it.
$(O)/documents/anywhere: $(fill_sources) tests/calls/guest.h | $(O)/setup-build
	@mkdir -p $(@D)
	$(call note,guest,$@)$(CC) $(filter-out -fno-pic -fno-pie -static -no-pie,$(CALLS_FLAGS)) -fpie -static-pie \
	    -fvisibility=hidden -I. -o $@ $(fill_sources)

# What a kernel was linked of, for link.py: how to compile, how to link, the objects, the words that choose some.
$(B)/link.txt: $(B)/kernel.elf
	$(file > $@,$(CC) $(KERNEL_FLAGS))
	$(file >> $@,$(CC) $(LINK_FLAGS) $(AS_MULTIBOOT))
	$(file >> $@,$(linked) $(B)/symbols-0.o)
	$(file >> $@,$(sort $(choices) $(foreach word,$(choices),$(needs_$(word)))))
	@test -s $@
