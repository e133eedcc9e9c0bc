# symbols.awk - give the kernel the names of its own functions.
#
# Reads `nm -n` of a linked kernel, writes assembly for the table that a
# backtrace searches: kernel_symbols[], sorted by address, and its length.
# Only code is named. The table stands at the end of .rodata, behind all code,
# so that adding it moves no address it holds (the Makefile checks that).

BEGIN { count = 0 }

$2 ~ /^[TtWw]$/ && $3 !~ /^(image_|\.)/ && $1 != last {
    last = address[count] = $1
    name[count++] = $3
}

END {
    print "    .section .rodata.symbols, \"a\""
    print "    .balign 4"
    print "    .globl kernel_symbols, kernel_symbol_count"
    print "kernel_symbol_count: .long " count
    print "kernel_symbols:"
    for (i = 0; i < count; i++)
        printf "    .long 0x%s, %df\n", address[i], i + 1
    for (i = 0; i < count; i++)
        printf "%d:  .asciz \"%s\"\n", i + 1, name[i]
    print "    .section .note.GNU-stack, \"\", @progbits"
}
