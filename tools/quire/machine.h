/*
 * machine.h - QEMU, started with a kernel and an archive, and connected to this process.
 *
 * Two kinds of machine, the faster one first:
 *
 *   microvm     PVH entry, virtio over memory-mapped registers; no PCI, little to set up
 *   pc          Multiboot entry, virtio over PCI; what every QEMU has
 *
 * The machine dies with this process, however that ends (PR_SET_PDEATHSIG), and leaves no files:
 * the archive has no name, the connections are socket pairs.
 *
 * QEMU itself is not trusted further than it must be: it gets those descriptors and no others, can gain no rights,
 * writes no files, and filters its own system calls (-sandbox) where it was built to. SECURITY.md says how far that
 * protects.
 */
#ifndef QUIRE_MACHINE_H
#define QUIRE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum machine_kind { MACHINE_MICROVM, MACHINE_PC, MACHINE_KINDS };

struct machine_plan {
    unsigned          kind, last;       /* enum machine_kind; last: the last one that will be tried */
    const char       *kernel;
    int               archive;          /* descriptor of the archive, or -1          */
    uint64_t          archive_size;
    uint64_t          memory;           /* bytes                                     */
    bool              kvm;              /* the host's processor runs the guest       */
    bool              seccomp;          /* QEMU filters its own system calls         */
    int               debugger;         /* stopped, with gdb at the other end of this socket; or -1 */
    bool              map_line;         /* a second serial line, for snapshots of memory */
    bool              verbose;          /* show the command line                     */
};

struct machine {
    pid_t pid;
    int   channel;                      /* the program's streams, framed */
    int   serial;                       /* the kernel's log              */
    int   errors;                       /* QEMU's messages               */
    int   monitor;                      /* QEMU's monitor, on a private connection */
    int   map;                          /* the map line, if the plan has it      */
};

/* "microvm" */
const char *machine_name(enum machine_kind kind);

/* QEMU's program: $QUIRE_QEMU, or one from PATH. */
const char *machine_emulator(void);

/* More words for QEMU's command line: $QUIRE_QEMU_FLAGS, or "". */
const char *machine_flags(void);

/* True when the host's processor can run a guest: /dev/kvm exists and works. */
bool machine_has_kvm(void);

/* Start the machine. Returns 0, or, after a complaint, an exit status of sandbox.h. */
int machine_start(struct machine *machine, const struct machine_plan *plan);

/* The processor's registers as lines of text, "" when QEMU does not answer within two seconds. */
void machine_registers(const struct machine *machine, char *text, size_t size);

/* End the machine if it still runs after `patience_ms`. Returns wait(2)'s status. Closes all but the channel. */
int machine_end(struct machine *machine, int patience_ms);

#endif
