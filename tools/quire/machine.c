/* machine.c - QEMU's command line, and the child that runs it. See machine.h. */
#include "machine.h"
#include "sandbox.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WORDS_AT_MOST = 128,
    SMALL_MEMORY  = 16 << 20,       /* below this, the translator's cache would be larger than the machine */
    MONITOR_MS    = 2000,
    NOT_STARTED   = 127,            /* the child's exit status when there is no QEMU                       */
};

/* ---- The command line ----------------------------------------------------------------- */

struct words {
    char *words[WORDS_AT_MOST + 1];
    int   count;
};

__attribute__((format(printf, 2, 3)))
static void words_add(struct words *words, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    if (words->count == WORDS_AT_MOST || vasprintf(&words->words[words->count++], format, values) < 0)
        exit(tell(SANDBOX_FAILED, "out of memory"));
    va_end(values);
}

static void words_free(struct words *words)
{
    for (int i = 0; i < words->count; i++)
        free(words->words[i]);
}

const char *machine_name(enum machine_kind kind)
{
    static const char *const names[MACHINE_KINDS] = { "microvm", "pc" };

    return names[kind];
}

const char *machine_emulator(void)
{
    const char *said = getenv("QUIRE_QEMU");

    return said != NULL && said[0] != '\0' ? said : "qemu-system-i386";
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
    if (plan->kind == MACHINE_MICROVM) {
        words_add(words, "-M");
        words_add(words, "microvm,acpi=off,pit=on,pic=on,rtc=on,isa-serial=on,x-option-roms=off");
        words_add(words, "-global");
        words_add(words, "virtio-mmio.force-legacy=false");
        words_add(words, "-global");
        words_add(words, "virtio-mmio.ioeventfd=off");
        words_add(words, "-device");
        words_add(words, "virtio-serial-device,max_ports=2");
    } else {
        words_add(words, "-M");
        words_add(words, "pc,usb=off");
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
    free(copy);
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
    words_add(words, "-kernel");
    words_add(words, "%s", plan->kernel);
    words_add(words, "-append");
    words_add(words, "panic=exit%s%s%s", plan->map_line ? " map=com2" : "", machine_words()[0] != '\0' ? " " : "",
              machine_words());
    if (plan->archive >= 0) {
        words_add(words, "-initrd");
        words_add(words, "/proc/self/fd/%d", plan->archive);
    }
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
    if (plan->debugger >= 0)
        add_debugger(words, plan->debugger);
    add_flags(words);
}

static void words_show(const struct words *words)
{
    fprintf(stderr, "%s:", sandbox_command);
    for (int i = 0; i < words->count; i++)
        fprintf(stderr, " %s", words->words[i]);
    fputc('\n', stderr);
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
 * No new privileges, no core with a program's memory in it, and no files, unless the user's own words for QEMU need
 * files.
 */
static void give_up_rights(void)
{
    const struct rlimit none = { 0, 0 };

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &none);
    if (machine_flags()[0] == '\0' && getenv("QUIRE_QEMU") == NULL)
        setrlimit(RLIMIT_FSIZE, &none);
}

/*
 * In the child, until QEMU takes over. In a process group of its own QEMU does not get the
 * terminal's Ctrl-C; quire passes it on to the program.
 */
__attribute__((noreturn))
static void become(const struct words *words, pid_t parent, int errors, const int *inherited, int count)
{
    static const char no_program[] = "no such program";
    sigset_t none;
    int nothing = open("/dev/null", O_RDWR);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(NOT_STARTED);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    keep_only(STDERR_FILENO + 1, inherited, count);
    give_up_rights();
    execvp(words->words[0], words->words);
    if (errno != ENOENT)
        dprintf(STDERR_FILENO, "%s", strerror(errno));
    else if (write(STDERR_FILENO, no_program, sizeof(no_program) - 1) < 0)
        _exit(NOT_STARTED);
    _exit(NOT_STARTED);
}

/* The connections, each with an end here and one in QEMU. */
enum { END_CHANNEL, END_SERIAL, END_MONITOR, END_MAP, END_ERRORS, ENDS };

static void close_all(int (*ends)[2], int count, int side)
{
    for (int i = 0; i < count; i++)
        close(ends[i][side]);
}

static int connect_all(int (*ends)[2])
{
    for (int i = 0; i < ENDS; i++) {
        int bad = i == END_ERRORS ? pipe2(ends[i], O_CLOEXEC)
                                  : socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends[i]);

        if (bad != 0) {
            tell(SANDBOX_FAILED, "no connection to the machine: %s", strerror(errno));
            close_all(ends, i, 0);
            close_all(ends, i, 1);
            return SANDBOX_FAILED;
        }
    }
    return 0;
}

int machine_start(struct machine *machine, const struct machine_plan *plan)
{
    struct words words = { 0 };
    int ends[ENDS][2];
    pid_t parent = getpid(), pid;
    int status = connect_all(ends);

    if (status != 0)
        return status;
    command_line(&words, plan,
                 &(struct connections){ ends[END_CHANNEL][1], ends[END_SERIAL][1], ends[END_MONITOR][1],
                                        ends[END_MAP][1] });
    if (plan->verbose)
        words_show(&words);
    pid = fork();
    if (pid == 0)
        become(&words, parent, ends[END_ERRORS][1],
               (int[]){ ends[END_CHANNEL][1], ends[END_SERIAL][1], ends[END_MONITOR][1],
                        plan->map_line ? ends[END_MAP][1] : -1, plan->archive, plan->debugger },
               6);
    words_free(&words);
    close_all(ends, ENDS, 1);
    if (pid < 0) {
        close_all(ends, ENDS, 0);
        return tell(SANDBOX_FAILED, "no process for the machine: %s", strerror(errno));
    }
    *machine = (struct machine){ pid, ends[END_CHANNEL][0], ends[END_SERIAL][0], ends[END_ERRORS][0],
                                 ends[END_MONITOR][0],
                                ends[END_MAP][0] };
    return 0;
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

/* Read the monitor's answer until the floating point's first line, or until no byte comes for a while. */
static size_t ask_monitor(int monitor, const char *question, char *answer, size_t size)
{
    struct pollfd on = { .fd = monitor, .events = POLLIN };
    size_t length = 0;
    ssize_t got = 1;

    if (send(monitor, question, strlen(question), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return 0;
    answer[0] = '\0';
    while (got > 0 && length < size - 1 && strstr(answer, "FCW=") == NULL && poll(&on, 1, MONITOR_MS) > 0) {
        got = recv(monitor, answer + length, size - 1 - length, MSG_DONTWAIT);
        length += got > 0 ? (size_t)got : 0;
        answer[length] = '\0';
    }
    return length;
}

void machine_registers(const struct machine *machine, char *text, size_t size)
{
    char answer[8192], *rest = answer;
    size_t length = 0;

    text[0] = '\0';
    if (ask_monitor(machine->monitor, "info registers\n", answer, sizeof(answer)) == 0)
        return;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        line[strcspn(line, "\r")] = '\0';
        if (telling(line) && length + strlen(line) + sizeof("  | \n") < size)
            length += (size_t)sprintf(text + length, "  | %s\n", line);
    }
}

int machine_end(struct machine *machine, int patience_ms)
{
    const struct timespec moment = { .tv_nsec = 1000000 };
    int status = 0;
    pid_t gone = waitpid(machine->pid, &status, WNOHANG);

    for (; gone == 0 && patience_ms > 0; patience_ms--) {
        nanosleep(&moment, NULL);
        gone = waitpid(machine->pid, &status, WNOHANG);
    }
    if (gone == 0) {
        kill(machine->pid, SIGKILL);
        while (waitpid(machine->pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    close(machine->serial);
    close(machine->errors);
    close(machine->monitor);
    close(machine->map);
    return status;
}
