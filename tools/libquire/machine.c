/* machine.c - QEMU's command line, and the child that runs it. See machine.h. */
#include "machine.h"
#include "arena.h"
#include "sandbox.h"
#include "tail.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SMALL_MEMORY  = 16 << 20,       /* below this, the translator's cache would be larger than the machine */
    NOT_STARTED   = 127,            /* the child's exit status when there is no QEMU                       */
    SIGNALS       = 65,
};

/* ---- The command line ----------------------------------------------------------------- */

/* Ends with a NULL. */
struct words {
    char **words;
    size_t count;
};

__attribute__((format(printf, 2, 3)))
static void words_add(struct words *words, const char *format, ...)
{
    va_list values;

    words->words = grown(words->words, words->count + 2, sizeof(*words->words));
    va_start(values, format);
    words->words[words->count++] = text_from(format, values);
    words->words[words->count]   = NULL;
    va_end(values);
}

static void words_free(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        drop(words->words[i]);
    drop(words->words);
}

const char *machine_name(enum machine_kind kind)
{
    static const char *const names[MACHINE_KINDS] = { "microvm", "pc" };

    return names[kind];
}

const char *machine_flags(void)
{
    const char *said = getenv("QUIRE_QEMU_FLAGS");

    return said != NULL ? said : "";
}

/* More words for the kernel: $QUIRE_KERNEL_WORDS, or "". */
static const char *machine_words(void)
{
    const char *said = getenv("QUIRE_KERNEL_WORDS");

    return said != NULL ? said : "";
}

/*
 * Add a microvm's devices: a serial line for panics, and the timer, interrupt controller and clock that the kernel
 * knows. ACPI tables and option ROMs take time, and are not read. Without ioeventfd the guest's bytes arrive before its
 * next instruction: no output of a program is lost when the machine dies right after.
 */
static void add_kind(struct words *words, const struct machine_plan *plan)
{
    const char *ram = plan->ram >= 0 || plan->shared >= 0 ? ",memory-backend=ram" : "";

    if (plan->kind == MACHINE_MICROVM) {
        words_add(words, "-M");
        words_add(words, "microvm,acpi=off,pit=on,pic=on,rtc=on,isa-serial=on,x-option-roms=off%s", ram);
        words_add(words, "-global");
        words_add(words, "virtio-mmio.force-legacy=false");
        words_add(words, "-global");
        words_add(words, "virtio-mmio.ioeventfd=off");
        words_add(words, "-device");
        words_add(words, "virtio-serial-device,max_ports=2");
    } else {
        words_add(words, "-M");
        words_add(words, "pc,usb=off%s", ram);
        words_add(words, "-device");
        words_add(words, "virtio-serial-pci,max_ports=2,ioeventfd=off");
    }
    words_add(words, "-device");
    words_add(words, "virtserialport,chardev=channel,nr=1");
}

static void add_accelerator(struct words *words, const struct machine_plan *plan)
{
    words_add(words, "-accel");
    if (plan->kvm)
        words_add(words, "kvm");
    else if (plan->memory < SMALL_MEMORY)
        words_add(words, "tcg,tb-size=8");
    else
        words_add(words, "tcg");
}

/* Add the user's words for QEMU, for measurements and experiments; separated by spaces. */
static void add_flags(struct words *words)
{
    char *copy = text("%s", machine_flags()), *rest = copy;

    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        if (word[0] != '\0')
            words_add(words, "%s", word);
    drop(copy);
}

/* QEMU's ends of the connections to this process. */
struct connections { int channel, serial, monitor, map; };

/* Add a character device of QEMU for a connection. */
static void add_connection(struct words *words, const char *name, int fd)
{
    words_add(words, "-chardev");
    words_add(words, "socket,id=%s,fd=%d", name, fd);
}

/*
 * QEMU is refused system calls that it does not need: change of user, other programs, other scheduling. It may still
 * start threads.
 */
static void add_seccomp(struct words *words)
{
    words_add(words, "-sandbox");
    words_add(words, "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
}

static void add_debugger(struct words *words, int fd)
{
    words_add(words, "-S");
    add_connection(words, "gdb", fd);
    words_add(words, "-gdb");
    words_add(words, "chardev:gdb");
}

/* The map line is COM2, which a microvm has only as an added device. */
static void add_map_line(struct words *words, int fd)
{
    add_connection(words, "map", fd);
    words_add(words, "-device");
    words_add(words, "isa-serial,chardev=map,iobase=0x2f8,irq=3");
}

/* Add the file that is the machine's RAM. Of a stopped machine's QEMU gets a private copy, page by page. */
static void add_ram(struct words *words, const struct machine_plan *plan)
{
    words_add(words, "-object");
    words_add(words, "memory-backend-file,id=ram,size=%" PRIu64 "k,mem-path=/proc/self/fd/%d,share=%s",
              plan->memory / 1024, plan->ram >= 0 ? plan->ram : plan->shared, plan->state >= 0 ? "off" : "on");
}

/*
 * Add the file that the machine swaps to: nobody needs it after the machine, so nothing is flushed. An error is told to
 * the guest, which would stand still otherwise. On PCI the place gives it an interrupt of its own.
 */
static void add_swap(struct words *words, const struct machine_plan *plan)
{
    words_add(words, "-drive");
    words_add(words, "if=none,id=swap,format=raw,cache=unsafe,file.locking=off,file=/proc/self/fd/%d", plan->swap);
    words_add(words, "-device");
    words_add(words, "%s,drive=swap,werror=report,rerror=report",
              plan->kind == MACHINE_MICROVM ? "virtio-blk-device" : "virtio-blk-pci,addr=7,ioeventfd=off");
}

/* Add what is booted; or, where a stopped machine is to go on, that its state comes when the monitor is told. */
static void add_beginning(struct words *words, const struct machine_plan *plan)
{
    if (plan->state >= 0) {
        words_add(words, "-incoming");
        words_add(words, "defer");
        return;
    }
    words_add(words, "-kernel");
    words_add(words, "%s", plan->kernel);
    words_add(words, "-append");
    words_add(words, "panic=exit%s%s%s%s", plan->ram >= 0 ? " begin=told" : "", plan->map_line ? " map=com2" : "",
              machine_words()[0] != '\0' ? " " : "", machine_words());
    if (plan->archive >= 0) {
        words_add(words, "-initrd");
        words_add(words, "/proc/self/fd/%d", plan->archive);
    }
}

static void command_line(struct words *words, const struct machine_plan *plan, const struct connections *ends)
{
    words_add(words, "%s", machine_emulator());
    add_kind(words, plan);
    add_accelerator(words, plan);
    words_add(words, "-nodefaults");
    words_add(words, "-no-user-config");
    words_add(words, "-display");
    words_add(words, "none");
    words_add(words, "-no-reboot");
    if (plan->seccomp)
        add_seccomp(words);
    words_add(words, "-m");
    words_add(words, "size=%" PRIu64 "k", plan->memory / 1024);
    if (plan->ram >= 0 || plan->shared >= 0)
        add_ram(words, plan);
    add_beginning(words, plan);
    add_connection(words, "channel", ends->channel);
    add_connection(words, "serial", ends->serial);
    words_add(words, "-serial");
    words_add(words, "chardev:serial");
    if (plan->map_line)
        add_map_line(words, ends->map);
    add_connection(words, "monitor", ends->monitor);
    words_add(words, "-mon");
    words_add(words, "chardev=monitor,mode=readline");
    words_add(words, "-device");
    words_add(words, "isa-debug-exit,iobase=0xf4,iosize=0x04");
    if (plan->swap >= 0)
        add_swap(words, plan);
    if (plan->debugger >= 0)
        add_debugger(words, plan->debugger);
    add_flags(words);
}

char *machine_text(const struct machine_plan *plan)
{
    struct machine_plan numberless = *plan;
    struct words words = { 0 };
    char *all = text("%s", "");

    numberless.archive = 0;
    numberless.ram = numberless.shared = numberless.state = -1;
    command_line(&words, &numberless, &(struct connections){ 0 });
    for (size_t i = 0; i < words.count; i++) {
        char *longer = text("%s%s\n", all, words.words[i]);

        drop(all);
        all = longer;
    }
    words_free(&words);
    return all;
}

static void words_show(const struct words *words)
{
    char *line = text("%s", words->words[0]);

    for (size_t i = 1; i < words->count; i++) {
        char *longer = text("%s %s", line, words->words[i]);

        drop(line);
        line = longer;
    }
    tell(0, "%s", line);
    drop(line);
}

/* Intel's VMX or AMD's SVM. */
static bool processor_has_virtualization(void)
{
#if defined(__x86_64__) || defined(__i386__)
    unsigned a, b, c, d;

    return (__get_cpuid(1, &a, &b, &c, &d) != 0 && (c & 1u << 5) != 0) ||
           (__get_cpuid(0x80000001, &a, &b, &c, &d) != 0 && (c & 1u << 2) != 0);
#else
    return false;
#endif
}

/* Some clouds have a /dev/kvm without the processor's help, which emulates too few instructions. */
bool machine_has_kvm(void)
{
    int kvm = processor_has_virtualization() ? open("/dev/kvm", O_RDWR | O_CLOEXEC) : -1, vm = -1;

    if (kvm >= 0 && ioctl(kvm, KVM_GET_API_VERSION, 0) == KVM_API_VERSION)
        vm = ioctl(kvm, KVM_CREATE_VM, 0);
    if (vm >= 0)
        close(vm);
    if (kvm >= 0)
        close(kvm);
    return vm >= 0;
}

/* ---- The child ------------------------------------------------------------------------ */

/* Descriptors from `first` on close when QEMU begins, but for those in the list. */
static void keep_only(int first, const int *inherited, int count)
{
    if (close_range((unsigned)first, ~0u, CLOSE_RANGE_CLOEXEC) != 0)
        for (int fd = first; fd < 1024; fd++)
            fcntl(fd, F_SETFD, FD_CLOEXEC);
    for (int i = 0; i < count; i++)
        if (inherited[i] >= 0)
            fcntl(inherited[i], F_SETFD, 0);
}

/*
 * No new privileges, no core with a program's memory in it, and no files longer than the one that the machine swaps to,
 * if it does, unless the user's own words for QEMU need files.
 */
static void give_up_rights(rlim_t longest)
{
    const struct rlimit none = { 0, 0 }, length = { longest, longest };

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &none);
    if (machine_flags()[0] == '\0' && getenv("QUIRE_QEMU") == NULL)
        setrlimit(RLIMIT_FSIZE, &length);
}

/*
 * QEMU dies with its owner, however that ends: when the other end of this socket is closed, the system sends QEMU a
 * SIGKILL. PR_SET_PDEATHSIG would do it at the end of the *thread* that has started it.
 */
static void die_with(int life)
{
    struct pollfd on = { .fd = life, .events = POLLIN };

    fcntl(life, F_SETOWN, getpid());
    fcntl(life, F_SETSIG, SIGKILL);
    fcntl(life, F_SETFL, O_ASYNC);
    if (poll(&on, 1, 0) != 0)
        _exit(NOT_STARTED);
}

/*
 * In the child, until QEMU takes over: the caller may have other threads, so nothing here takes a lock or memory. In a
 * process group of its own QEMU does not get the terminal's Ctrl-C.
 */
__attribute__((noreturn))
static void become(const struct words *words, int errors, int life, const int *inherited, int count, rlim_t longest)
{
    sigset_t none;
    const char *why;
    int nothing = open("/dev/null", O_RDWR);

    for (int number = 1; number < SIGNALS; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    die_with(life);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    keep_only(STDERR_FILENO + 1, inherited, count);
    give_up_rights(longest);
    execvp(words->words[0], words->words);
    why = errno == ENOENT ? "no such program" : strerrordesc_np(errno);
    if (write(STDERR_FILENO, MACHINE_ABSENT, 1) == 1 && why != NULL && write(STDERR_FILENO, why, strlen(why)) < 0)
        _exit(NOT_STARTED);
    _exit(NOT_STARTED);
}

/* The connections, each with an end here and one in QEMU. */
enum { END_CHANNEL, END_SERIAL, END_MONITOR, END_MAP, END_LIFE, END_ERRORS, ENDS };

typedef int ends_t[ENDS][2];

static void close_side(ends_t *ends, int side)
{
    for (int i = 0; i < ENDS; i++)
        if ((*ends)[i][side] >= 0)
            close((*ends)[i][side]);
}

static void close_both(void *ends)
{
    close_side(ends, 0);
    close_side(ends, 1);
}

static bool connect_all(ends_t *ends)
{
    for (int i = 0; i < ENDS; i++)
        if ((i == END_ERRORS ? pipe2((*ends)[i], O_CLOEXEC)
                             : socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, (*ends)[i])) != 0)
            return false;
    return true;
}

/* As fork(2), with a pidfd. The signals are blocked, so that no handler of the caller runs in the child. */
static pid_t fork_held(int *process)
{
    sigset_t all, before;
    pid_t pid;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pid = (pid_t)syscall(SYS_clone, (unsigned long)(CLONE_PIDFD | SIGCHLD), NULL, process, NULL, 0);
    if (pid != 0)
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pid;
}

/* Start the child with its ends of the connections. Returns 0 or an errno. */
static int start_child(struct machine *machine, const struct machine_plan *plan, ends_t *ends)
{
    const int theirs[] = { (*ends)[END_CHANNEL][1], (*ends)[END_SERIAL][1], (*ends)[END_MONITOR][1],
                           (*ends)[END_LIFE][1], plan->map_line ? (*ends)[END_MAP][1] : -1, plan->archive,
                           plan->debugger, plan->ram, plan->shared, plan->state, plan->swap };
    struct words words = { 0 };
    int process = -1, problem;
    pid_t pid;

    command_line(&words, plan, &(struct connections){ theirs[0], theirs[1], theirs[2], (*ends)[END_MAP][1] });
    if (plan->verbose)
        words_show(&words);
    pid = fork_held(&process);
    problem = pid < 0 ? errno : 0;
    if (pid == 0)
        become(&words, (*ends)[END_ERRORS][1], (*ends)[END_LIFE][1], theirs, sizeof(theirs) / sizeof(theirs[0]),
               plan->swap >= 0 ? plan->swap_size : 0);
    words_free(&words);
    *machine = (struct machine){ pid, process, (*ends)[END_CHANNEL][0], (*ends)[END_SERIAL][0], (*ends)[END_ERRORS][0],
                                 (*ends)[END_MONITOR][0], (*ends)[END_MAP][0], (*ends)[END_LIFE][0] };
    return problem;
}

int machine_start(struct machine *machine, const struct machine_plan *plan)
{
    ends_t *ends = grown(NULL, 1, sizeof(*ends));
    struct held *held;
    int problem = 0, status = 0;

    memset(ends, -1, sizeof(*ends));
    held = hold(close_both, ends);
    if (!connect_all(ends))
        status = tell(SANDBOX_FAILED, "no connection to the machine: %s", strerror(errno));
    else if ((problem = start_child(machine, plan, ends)) != 0)
        status = tell(SANDBOX_FAILED, "no process for the machine: %s", strerror(problem));
    keep(held);
    close_side(ends, 1);
    if (status != 0)
        close_side(ends, 0);
    drop(ends);
    return status;
}

/* ---- Questions ------------------------------------------------------------------------ */

/* True for the lines of QEMU's "info registers" with general registers, EIP and CR0; not for the others. */
static bool telling(const char *line)
{
    static const char *const beginnings[] = { "EAX=", "ESI=", "EIP=", "CR0=", "RAX=", "RSI=", "RIP=", "CS =" };

    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
        if (strncmp(line, beginnings[i], 4) == 0)
            return true;
    return false;
}

void machine_ask_registers(const struct machine *machine)
{
    static const char question[] = "info registers\n";

    char before[1024];

    while (recv(machine->monitor, before, sizeof(before), MSG_DONTWAIT) > 0)
        ;                               /* what it said to other words */
    (void)send(machine->monitor, question, sizeof(question) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The floating point's first line is behind all that is shown. */
bool machine_answer(const struct machine *machine, struct answer *answer)
{
    ssize_t got = recv(machine->monitor, answer->bytes + answer->length, sizeof(answer->bytes) - 1 - answer->length,
                       MSG_DONTWAIT);

    answer->length += got > 0 ? (size_t)got : 0;
    answer->bytes[answer->length] = '\0';
    return got <= 0 || answer->length == sizeof(answer->bytes) - 1 || strstr(answer->bytes, "FCW=") != NULL;
}

void machine_tell_registers(struct answer *answer)
{
    char *rest = answer->bytes;
    bool told = false;

    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        line[strcspn(line, "\r")] = '\0';
        if (telling(line)) {
            tell_detail(line, strlen(line));
            told = true;
        }
    }
    if (!told)
        tell(0, "  | QEMU does not say where it is");
}

/* ---- The end ------------------------------------------------------------------------------ */

void machine_signal(const struct machine *machine, int number)
{
    syscall(SYS_pidfd_send_signal, machine->process, number, NULL, 0);
}

int machine_end(struct machine *machine)
{
    siginfo_t how = { 0 };
    int done;

    machine_signal(machine, SIGKILL);           /* nothing, when it has ended */
    do
        done = waitid(P_PIDFD, (id_t)machine->process, &how, WEXITED);
    while (done != 0 && errno == EINTR);
    close(machine->process);
    close(machine->serial);
    close(machine->errors);
    close(machine->monitor);
    close(machine->map);
    close(machine->life);
    return done != 0 ? MACHINE_UNKNOWN : how.si_code == CLD_EXITED ? how.si_status : MACHINE_KILLED;
}
