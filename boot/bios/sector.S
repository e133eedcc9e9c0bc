/*
 * sector.S - the boot sector: 512 bytes at 0x7C00, loaded by the BIOS.
 *
 * It loads the relocator and the kernel (image.h) to 0x8000 and up, and jumps there with the drive's number in DL.
 * On entry (BIOS Boot Specification 1.01, "IPL Devices"): real mode, DL the drive, nothing else is certain.
 *
 * Reads use the extensions of int 13h where the drive has them, else cylinder, head and sector: a floppy's geometry
 * is the builder's, in this sector; a disk's is asked for. A transfer never crosses a border of 32 KiB, thus none of
 * 64 KiB, which a floppy's DMA cannot; it ends at a track's end where there are tracks. Each is tried TRIES times,
 * with a reset between.
 *
 * What goes wrong is said on the screen and on the first serial line (115200 baud), with the BIOS's status and the
 * first sector of the transfer, in hexadecimal; then the emulator ends (power.h), or the machine stands still.
 *
 * Variables are on the stack, so that the sector stays in memory as it was on the disk.
 *
 * Source   Ralf Brown's Interrupt List, int 12h, int 13h; EDD-3, "Fixed Disk Access Subset".
 */
#include "boot/bios/image.h"
#include "devices/uart.h"
#include "power.h"

#define TRIES           5
#define BLOCK           64              /* sectors from one border of 32 KiB to the next */

/* Variables, from BP, which is the sector's address: pushed in this order. */
#define DRIVE           -2              /* byte                                          */
#define EXTENDED        -4              /* byte: not 0 where sectors have plain numbers  */
#define TRIES_LEFT      -3              /* byte                                          */
#define TRACK           -6              /* sectors in a track                            */
#define HEADS           -8
#define LEFT            -10             /* sectors to load                               */
#define NEXT            -12             /* the next one's number                         */

    .code16
    .section .text
    .globl sector_start
sector_start:
    jmp begin
    nop
/* Where a file system's boot sector describes it. There is none here, so texts have the place, around the geometry. */
disk_text:
    .asciz "\r\nquire: disk error "
    .org SECTOR_TRACK
    .word 18
    .org SECTOR_HEADS
    .word 2
room_text:
    .asciz "\r\nquire: too large for low KiB "
    .org SECTOR_COUNT
    .word 0

begin:
    xorw %ax, %ax                       /* CS may be 0 or 0x7C0; jumps here are relative */
    movw $BIOS_SECTOR, %bp
    movw %ax, %ds
    movw %ax, %ss
    movw %bp, %sp
    cld
    pushw %dx
    pushw %ax
    pushw SECTOR_TRACK(%bp)
    pushw SECTOR_HEADS(%bp)
    pushw SECTOR_COUNT(%bp)
    pushw $BIOS_FIRST_SECTOR

    /* KiB below what the firmware keeps: do the sectors fit between 0x8000 and there? */
    int $0x12
    movw $room_text, %si
    pushw %ax
    shlw $1, %ax
    subw $(BIOS_RELOCATOR / BIOS_SECTOR_BYTES), %ax
    cmpw LEFT(%bp), %ax
    popw %ax
    jb stop

    /* Extensions? Else, on a disk, the geometry. DL is still the drive. */
    movb $0x41, %ah
    movw $0x55AA, %bx
    int $0x13
    jc 2f
    cmpw $0xAA55, %bx
    jne 2f
    andb $1, %cl
    movb %cl, EXTENDED(%bp)
    jnz 3f
2:  movb DRIVE(%bp), %dl
    testb %dl, %dl
    jns 3f
    movb $8, %ah
    int $0x13
    jc disk_failed
    andw $63, %cx
    jz disk_failed                      /* nothing could be divided by that */
    movw %cx, TRACK(%bp)
    movzbw %dh, %dx
    incw %dx
    movw %dx, HEADS(%bp)
3:  pushw $(BIOS_RELOCATOR / 16)
    popw %es

/* One transfer: DI sectors to ES:0, up to a border, the end of the image, the end of a track. */
transfer:
    movw %es, %ax
    shrw $5, %ax
    andw $(BLOCK - 1), %ax
    movw $BLOCK, %di
    subw %ax, %di
    cmpw LEFT(%bp), %di
    jbe 1f
    movw LEFT(%bp), %di
1:  cmpb $0, EXTENDED(%bp)
    jne 2f
    movw NEXT(%bp), %ax
    xorw %dx, %dx
    divw TRACK(%bp)
    movw TRACK(%bp), %ax
    subw %dx, %ax
    cmpw %ax, %di
    jbe 2f
    movw %ax, %di
2:  movb $TRIES, TRIES_LEFT(%bp)

try:
    cmpb $0, EXTENDED(%bp)
    je by_geometry
    pushw $0                            /* the address packet, from its end */
    pushw $0
    pushw $0
    pushw NEXT(%bp)
    pushw %es
    pushw $0
    pushw %di
    pushw $16
    movw %sp, %si
    movb $0x42, %ah
    jmp 1f
by_geometry:
    movw NEXT(%bp), %ax
    xorw %dx, %dx
    divw TRACK(%bp)                     /* AX tracks before it, DX sectors before it in its own */
    movw %dx, %cx
    incw %cx
    xorw %dx, %dx
    divw HEADS(%bp)                     /* AX the cylinder, DX the head */
    movb %dl, %dh
    movb %al, %ch
    shlb $6, %ah
    orb %ah, %cl
    movw %di, %ax
    movb $2, %ah
    xorw %bx, %bx
1:  movb DRIVE(%bp), %dl
    int $0x13
    leaw NEXT(%bp), %sp
    jc again
    addw %di, NEXT(%bp)
    movw %es, %ax
    movw %di, %cx
    shlw $5, %cx
    addw %cx, %ax
    movw %ax, %es
    movb $'.', %al                      /* a floppy takes its time */
    call put
    subw %di, LEFT(%bp)
    jne transfer
    movb DRIVE(%bp), %dl
    ljmp $0, $BIOS_RELOCATOR

again:
    pushw %ax
    xorw %ax, %ax
    movb DRIVE(%bp), %dl
    int $0x13
    popw %ax
    decb TRIES_LEFT(%bp)
    jnz try

/* AH: the BIOS's status. */
disk_failed:
    shrw $8, %ax
    movw $disk_text, %si
    call say
    movw $sector_text, %si
    movw NEXT(%bp), %ax

/* Says the text at SI and the number AX, and stops. */
stop:
    call say
    movb $'\n', %al
    call put
    movb $POWER_STATUS_REFUSED, %al
    outb %al, $POWER_EXIT_PORT
1:  hlt
    jmp 1b

/* The text at SI and AX in four hexadecimal digits. */
say:
    pushw %ax
1:  lodsb
    testb %al, %al
    jz 2f
    call put
    jmp 1b
2:  popw %di
    movw $4, %cx
3:  rolw $4, %di
    movw %di, %ax
    andb $15, %al
    cmpb $10, %al                       /* 0..9 become '0'..'9', 10..15 'A'..'F' */
    sbbb $0x69, %al
    das
    call put
    loop 3b
    ret

/* The character AL, on the screen and on the serial line. */
put:
    pushaw
    pushw %ax
    movb $0x0E, %ah
    movw $7, %bx
    int $0x10
    movw $(UART_COM1 + 3), %dx
    movb $0x83, %al                     /* the divisor, then 8 bits, no parity */
    outb %al, %dx
    movb $(UART_COM1 & 0xFF), %dl
    movw $1, %ax
    outw %ax, %dx
    movb $((UART_COM1 + 3) & 0xFF), %dl
    movb $3, %al
    outb %al, %dx
    xorw %cx, %cx
    movb $((UART_COM1 + UART_LINE_STATUS) & 0xFF), %dl
1:  inb %dx, %al
    testb $UART_CAN_SEND, %al
    loopz 1b
    popw %ax
    movb $(UART_COM1 & 0xFF), %dl
    outb %al, %dx
    popaw
    ret

sector_text:
    .asciz " sector "

    .org SECTOR_PARTITIONS               /* what does not fit above does not assemble */
    .org SECTOR_SIGNATURE
    .word BIOS_SIGNATURE
