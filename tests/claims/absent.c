/*
 * absent.c - what probes ask of a real machine and this one lacks. The claims concerned are not run (claims.c), so to
 * call one of these functions is an error of the table there: the program stops and names it.
 *
 * Two answers are no error: there is no PCI bus, and no boot loader has left notes of its way.
 */
#include "descriptor.h"

#include "arch/contract.h"
#include "base/random.h"
#include "boot/info.h"
#include "cpu.h"
#include "inspect.h"
#include "linux/abi.h"
#include "process/abi.h"
#include "tests/claims/absent.h"

const struct pci_access *pci_ports(void) { return NULL; }

const struct boot_path *boot_path(void)
{
    static const struct boot_path none;

    return &none;
}

uint32_t boot_magic(void) { return 0; }

/* ---- Another stack ------------------------------------------------------------------------------------------ */

/* The last page of the stack is shown in the mirror before the call: the handler of SIGSEGV runs on this very stack. */
void stack_call(vaddr_t top, void (*function)(void *), void *argument)
{
    volatile uint32_t *last = pointer_to(top - sizeof *last);

    *last = *last;
    __asm__ volatile("movq %%rsp, %%rbx\n\tmovq %0, %%rsp\n\tcall *%1\n\tmovq %%rbx, %%rsp"
                     : : "r"(pointer_to(top)), "r"(function), "D"(argument)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
}

/* ---- Registers, gates and segments of an i386 --------------------------------------------------------------- */

struct taken_over taken_over;
extern uint32_t   trap_kernel_root, trap_program_root;
uint32_t          trap_kernel_root, trap_program_root;

struct table_place       inspect_segments(void)      LACKING
struct table_place       inspect_gates(void)         LACKING
struct table_place       inspect_task(void)          LACKING
vaddr_t                  inspect_gate(unsigned)      LACKING
uint32_t                 inspect_cr0(void)           LACKING
const struct task_state *kernel_task(void)           LACKING
void                     task_enter_at(vaddr_t)      LACKING

/* ---- What the kernel's own programs do not ask for ------------------------------------------------------------ */

int  thread_copy_state(struct thread *)                                 LACKING
void thread_prepare(struct thread *, vaddr_t)                           LACKING
int  alternate_set(struct thread *, vaddr_t, const struct alternate_stack *) LACKING
void random_bytes(void *, size_t)                                       LACKING
void random_stir(const void *, size_t)                                  LACKING
