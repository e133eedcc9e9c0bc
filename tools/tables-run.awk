# tables-run.awk - the page tables for the moment in which paging comes on (tools/layout/emit_boot.c) in few bytes.
#
# The kernel that only runs programs has them as addresses without contents, and boot_runs says what boot/start.S writes
# there: of each run the number of entries, where they lie and the first of them; each further one leads to the next
# page. A run of no entries is the end.
function section_of(kind)
{
    print "    .section " kind ", \"aw\", @nobits\n    .balign 4096"
}

function run(count, first)
{
    runs = runs "    .long " count ", " table " + 4 * " entry ", " first "\n"
    entry += count
}

# Tables that the kernel goes on using lie at virtual addresses.
/^    \.section \.(data|bss)\.tables/  { kind = ".bss.tables"; distance = " - KERNEL_OFFSET" }
/^    \.section \.boot\.tables/        { kind = ".boot.bss.tables"; distance = "" }

/^boot_slot_table:/                    { section_of(kind); print; zeros = 1 }
/^boot_(directory|table_[0-9]+):/      { section_of(kind); print $1 "\n    .skip 4096\n"
                                         table = substr($1, 1, length($1) - 1) distance; entry = 0 }
/^    \.(set KERNEL_OFFSET,|global) /  { print }
/^    \.fill / && zeros                { print }
/^    \.fill / && !zeros               { entry += $2 }
/^    \.set entry, 0x/                 { first = $3 }
/^    \.rept /                         { run($2, first) }
/^    \.long .*\/\*/                   { sub(/^    \.long /, ""); sub(/ *\/\*.*/, ""); run(1, $0) }

END {
    print "\n    .section .boot.rodata\n    .global boot_runs\nboot_runs:\n" runs "    .long 0\n"
    print "    .section .note.GNU-stack, \"\", @progbits"
}
