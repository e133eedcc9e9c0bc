/*
 * machine.h - QEMU, started with a kernel and an archive, and connected to this process.
 *
 * Two kinds of machine, the faster one first:
 *
 *   microvm     PVH entry, virtio over memory-mapped registers; no PCI, little to set up
 *   pc          Multiboot entry, virtio over PCI; what every QEMU has
 *
 * The machine dies with this process, however that ends, and leaves no files: the archive has no name, the connections
 * are socket pairs. It is a child as others are: a wait(2) of the caller may take its status from here.
 *
 * QEMU itself is not trusted further than it must be: it gets those descriptors and no others, can gain no rights,
 * writes no file but the one that the machine swaps to, and filters its own system calls (-sandbox) where it was built
 * to. SECURITY.md says how far that protects.
 */
#ifndef QUIRE_MACHINE_H
#define QUIRE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum machine_kind { MACHINE_MICROVM, MACHINE_PC, MACHINE_KINDS };

struct machine_plan {
    unsigned          kind;             /* enum machine_kind                         */
    const char       *kernel;
    int               archive;          /* descriptor of the archive, or -1          */
    uint64_t          archive_size;
    uint64_t          memory;           /* bytes                                     */
    bool              kvm;              /* the host's processor runs the guest       */
    bool              seccomp;          /* QEMU filters its own system calls         */
    int               ram;              /* a file of `memory` bytes that is the machine's RAM, or -1: QEMU's own */
    int               shared;           /* a file of `memory` bytes that is the RAM of a machine that boots and goes on,
                                         * and that this process writes to as well (place.h); or -1 */
    int               state;            /* a stopped machine's state, to go on from: its RAM is `ram`, of which QEMU
                                         * has a private copy; or -1: boot, and with `ram` stop before the program */
    int               swap;             /* a file of `swap_size` bytes that is a block device, or -1 */
    uint64_t          swap_size;
    int               debugger;         /* stopped, with gdb at the other end of this socket; or -1 */
    bool              map_line;         /* a second serial line, for snapshots of memory */
    bool              verbose;          /* show the command line                     */
};

struct machine {
    pid_t pid;
    int   process;                      /* a pidfd: readable when QEMU has ended */
    int   channel;                      /* the program's streams, framed */
    int   serial;                       /* the kernel's log              */
    int   errors;                       /* QEMU's messages               */
    int   monitor;                      /* QEMU's monitor, on a private connection */
    int   map;                          /* the map line, if the plan has it      */
    int   life;                         /* when this is closed, QEMU dies        */
};

/* How QEMU ended, beside its exit status: by a signal; or nobody knows, as the caller has waited for it. */
enum { MACHINE_KILLED = -1, MACHINE_UNKNOWN = -2 };

/* In front of the reason, in the machine's errors: there is no QEMU. QEMU's own errors have no such byte. */
#define MACHINE_ABSENT "\1"

/* What QEMU's monitor has said so far. */
struct answer { char bytes[8192]; size_t length; };

/* "microvm" */
const char *machine_name(enum machine_kind kind);

/*
 * QEMU's program: $QUIRE_QEMU, or one from PATH. Of Debian's shell script, which only chooses between two programs, the
 * program: a shell takes longer to start than the kernel's memory manager.
 */
const char *machine_emulator(void);

/* The file of that name, if it is a program, for the caller to drop; NULL for a script, which may start anything. */
char *machine_emulator_file(void);

/* More words for QEMU's command line: $QUIRE_QEMU_FLAGS, or "". */
const char *machine_flags(void);

/* True when the host's processor can run a guest: /dev/kvm exists and works. */
bool machine_has_kvm(void);

/*
 * The command line that boots a plan, without the numbers of descriptors: two plans with the same text start the same
 * machine. Of the arena.
 */
char *machine_text(const struct machine_plan *plan);

/*
 * Start the machine. Returns 0 or, after a complaint, an exit status of sandbox.h. May fail for lack of memory
 * (arena.h); nothing is left then.
 */
int machine_start(struct machine *machine, const struct machine_plan *plan);

/* Ask for the processor's registers. The answer is there when the last function says true; until then it waits. */
void machine_ask_registers(const struct machine *machine);
bool machine_answer(const struct machine *machine, struct answer *answer);

/* Say the general registers, EIP and CR0 of an answer, as details; the answer is cut into lines. */
void machine_tell_registers(struct answer *answer);

/* Send QEMU a signal: SIGSTOP, SIGCONT or SIGKILL. */
void machine_signal(const struct machine *machine, int number);

/*
 * End the machine if it still runs, and close all but the channel. Returns QEMU's exit status, MACHINE_KILLED or
 * MACHINE_UNKNOWN. Waits for a process that is being killed, which takes milliseconds.
 */
int machine_end(struct machine *machine);

#endif
