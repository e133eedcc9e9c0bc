# vdso.awk - the vDSO's bytes, one number each, into assembly: the first `end` of them.
#
# The table of sections lies behind, and is not loaded, so the header is made to name none.
#
# Source   Tool Interface Standard, ELF 1.2, "ELF Header": e_shoff, e_shnum and e_shstrndx.

function number(text,    i, n) {
    for (i = 3; i <= length(text); i++)
        n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
    return n
}

BEGIN {
    bytes = number(end)
    print "    .section .rodata.vdso, \"a\""
    print "    .global vdso_image, vdso_image_bytes"
    print "    .balign 4"
    print "vdso_image:"
}

{
    for (i = 1; i <= NF && at < bytes; i++) {
        none = at >= 32 && at < 36 || at >= 48 && at < 52
        print "    .byte " (none ? 0 : $i)
        at++
    }
}

END {
    print "    .balign 4"
    print "vdso_image_bytes:"
    print "    .long " bytes
    print "    .section .note.GNU-stack, \"\", @progbits"
}
