# kernel-run.sed - from a layout's linker script to that of the kernel which only runs programs (build.mk).
#
# It has no texts of assertions. Sections lie in its file one after the other and not each at a page of its own, since
# QEMU reads them and does not map them, and what has no bytes in the file is a segment of its own.
/(\.assertions)/d
s/^    data      PT_LOAD FLAGS(6);/&\n    bss PT_LOAD FLAGS(6);/
/^    \.bss :/s/:data$/:bss/
