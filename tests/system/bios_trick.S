/*
 * bios_trick.S - a boot sector that makes the BIOS an older or a worse one, and then starts the one it replaces.
 *
 * It moves to 0x600, which is free, puts itself before some of the BIOS's calls, reads the original sector,
 * number ORIGINAL of the disk, to 0x7C00, and jumps there. test_images.py chooses its changes of the calls with -D:
 *
 *     NO_EXTENSIONS   int 13h only by cylinder, head and sector
 *     NO_GEOMETRY     the BIOS does not know the numbers of these
 *     STUMBLE         three of four reads fail
 *     NO_E820, NO_E801    the memory map in the older ways only
 *     LOW_KIB=n       int 12h: the firmware keeps all but n KiB of low memory
 *     CLOSE_A20       address line A20 begins closed
 *     NO_A20          int 15h does not open it
 */
#define HERE    0x600
#define THERE   0x7C00

    .code16
    .globl start
start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $THERE, %sp
    cld
    movw $THERE, %si
    movw $HERE, %di
    movw $256, %cx
    rep movsw
    ljmp $0, $1f
1:  pushw %dx
    movw $packet, %si
    movb $0x42, %ah
    sti
    int $0x13
    cli
    movl 0x13 * 4, %eax
    movl %eax, old_13
    movl 0x15 * 4, %eax
    movl %eax, old_15
    movl $new_13, 0x13 * 4
    movl $new_15, 0x15 * 4
#ifdef LOW_KIB
    movl $new_12, 0x12 * 4
#endif
#ifdef CLOSE_A20
    inb $0x92, %al
    andb $0xFC, %al
    outb %al, $0x92
#endif
    popw %dx
    sti
    ljmp $0, $THERE

new_13:
#ifdef NO_EXTENSIONS
    cmpb $0x41, %ah
    je fail
    cmpb $0x42, %ah
    je fail
#endif
#ifdef NO_GEOMETRY
    cmpb $0x08, %ah
    je no_geometry
#endif
#ifdef STUMBLE
    cmpb $0x42, %ah
    je 1f
    cmpb $0x02, %ah
    jne 2f
1:  incb %cs:reads
    testb $3, %cs:reads
    jnz fail
2:
#endif
    ljmp *%cs:old_13

new_15:
#ifdef NO_E820
    cmpw $0xE820, %ax
    je fail
#endif
#ifdef NO_E801
    cmpw $0xE801, %ax
    je fail
#endif
#ifdef NO_A20
    cmpw $0x2401, %ax
    je fail
#endif
    ljmp *%cs:old_15

/* Carry in the caller's flags, and a general error status. */
fail:
    pushw %bp
    movw %sp, %bp
    orb $1, 6(%bp)
    popw %bp
    movb $0x20, %ah
    iret

#ifdef NO_GEOMETRY
no_geometry:
    pushw %bp
    movw %sp, %bp
    andb $0xFE, 6(%bp)
    popw %bp
    xorw %ax, %ax
    xorw %cx, %cx
    xorw %dx, %dx
    iret
#endif

#ifdef LOW_KIB
new_12:
    movw $LOW_KIB, %ax
    iret
#endif

    .balign 4
packet:
    .byte 16, 0
    .word 1, THERE, 0
    .quad ORIGINAL
old_13: .long 0
old_15: .long 0
reads:  .byte 0

    .org 510
    .word 0xAA55
