# install.mk - `make install`: a Quire that needs neither its sources nor its build.
#
#   make install PREFIX=/usr/local          as root; DESTDIR=folder puts a folder in front, for makers of packages
#   make uninstall PREFIX=/usr/local
#
#   bin/quire                               the command
#   lib/quire/NAME/                         a layout's kernels; kernel.debug is what gdb reads (./quire debug)
#   lib/quire/bios/                         boot sector and relocator of images
#   lib/libquire.so.0                       a sealed program from a program of one's own
#   lib/libquire.so, include/libquire.h     what such a program is compiled with
#   share/quire/python/quire.py             the same for Python
#   share/quire/layouts/NAME/layout.md      the documents
#   share/quire/tools/                      what `quire programs` and `quire debug` run
#   share/man/man1/                         manual pages, made by help2man from what the command says of itself
#   share/bash-completion, zsh, fish        completions, made by the command from its tables of options
#
# zsh looks into share/zsh/site-functions of /usr/local only; a package for Debian says ZSH=vendor-completions.
#
# The command finds all of that from where it lies itself, so a folder may be installed here and used there.

PREFIX  ?= /usr/local
DESTDIR ?=
ZSH     ?= site-functions
stage   := $(O)/stage

pages = quire $(addprefix quire-,run shell debug map image layout new programs completion)

manual_pages = $(pages:%=$(O)/manual/%.1)

$(O)/manual/%.1: $(O)/host/quire tools/manual-page | $(O)/setup-install
	@mkdir -p $(@D)
	@sh tools/manual-page $(O)/host/quire $* $@

# What `make kernel` made; beside it may lie kernels for a CD.
installed_kernels = kernel.elf kernel-pvh.elf kernel-run.elf kernel-run.map

.PHONY: stage
stage: quire library $(manual_pages) FORCE | $(O)/setup-install
	@for layout in $(LAYOUTS); do $(MAKE) --no-print-directory LAYOUT=$$layout kernel || exit 1; done
	@rm -rf $(stage)
	@mkdir -p $(stage)/bin $(stage)/lib/quire/bios $(stage)/share/man/man1 $(stage)/share/quire/tools/quire \
	    $(addprefix $(stage)/share/,bash-completion/completions zsh/$(ZSH) fish/vendor_completions.d)
	@cp $(O)/host/quire $(stage)/bin/quire && strip $(stage)/bin/quire
	@cp $(O)/bios/sector $(O)/bios/relocator $(stage)/lib/quire/bios/ && chmod 644 $(stage)/lib/quire/bios/*
	@for layout in $(LAYOUTS); do \
	    mkdir -p $(stage)/lib/quire/$$layout $(stage)/share/quire/layouts/$$layout && \
	    cp layouts/$$layout/layout.md $(stage)/share/quire/layouts/$$layout/ && \
	    cp $(installed_kernels:%=$(O)/$$layout/%) $(stage)/lib/quire/$$layout/ && \
	    (cd $(stage)/lib/quire/$$layout && \
	     objcopy --only-keep-debug --compress-debug-sections=zlib kernel.elf kernel.debug && \
	     objcopy --strip-all --add-gnu-debuglink=kernel.debug kernel.elf && chmod 644 kernel*) || exit 1; done
	@cp tools/fetch-programs $(stage)/share/quire/tools/ && chmod 755 $(stage)/share/quire/tools/fetch-programs
	@cp tools/quire/debug.py $(stage)/share/quire/tools/quire/
	@mkdir -p $(stage)/include $(stage)/share/quire/python
	@cp $(O)/$(library_name) $(stage)/lib/ && strip --strip-unneeded $(stage)/lib/$(library_name)
	@chmod 644 $(stage)/lib/$(library_name) && ln -s $(library_name) $(stage)/lib/libquire.so
	@cp tools/libquire/libquire.h $(stage)/include/
	@cp python/quire.py $(stage)/share/quire/python/
	@cp $(manual_pages) $(stage)/share/man/man1/
	@$(O)/host/quire completion bash > $(stage)/share/bash-completion/completions/quire
	@$(O)/host/quire completion zsh > $(stage)/share/zsh/$(ZSH)/_quire
	@$(O)/host/quire completion fish > $(stage)/share/fish/vendor_completions.d/quire.fish

install: stage                          ## put it into PREFIX=/usr/local; DESTDIR= for makers of packages
	@sh tools/install $(stage) '$(DESTDIR)$(PREFIX)'

uninstall: stage                        ## take away what `make install` put there
	@sh tools/install --remove $(stage) '$(DESTDIR)$(PREFIX)'

# Built from the files that git knows, by debian/rules; LAYOUTS=name for the kernels of one layout only.
package: | $(O)/setup-package           ## Debian packages in build/package; seen by lintian, and run
	@rm -rf $(O)/package && mkdir -p $(O)/package/quire
	@git ls-files -z | xargs -0 cp -P --parents -t $(O)/package/quire
	@cd $(O)/package/quire && \
	    env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS QUIRE_LAYOUTS='$(LAYOUTS)' \
	        dpkg-buildpackage -us -uc -j$(shell nproc) > ../log 2>&1 || \
	    { tail -n 30 ../log; echo "package: dpkg-buildpackage failed; $(O)/package/log has all it said" >&2; exit 1; }
	@cd $(O)/package && lintian --fail-on error,warning --info *.changes
	@for package in $(O)/package/*.deb; do dpkg-deb -x $$package $(O)/package/root || exit 1; done
	@for test in readme library; do sh tools/package-test $(O) debian/tests/$$test || exit 1; done
	@ls -l $(O)/package/*.deb $(O)/package/*.dsc
