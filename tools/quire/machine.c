/* machine.c - QEMU's command line, and the child that runs it. See machine.h. */
#include "machine.h"
#include "seal.h"

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
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WORDS_AT_MOST = 128,
    SMALL_MEMORY  = 16 << 20,       /* below this, the translator's cache would be larger than the machine */
    NOT_STARTED   = 127,            /* the child's exit status when there is no QEMU to become             */
};

/* ---- The command line ----------------------------------------------------------------- */

struct words {
    char *words[WORDS_AT_MOST + 1];
    int   count;
};

__attribute__((format(printf, 2, 3)))
static void add(struct words *words, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    if (words->count == WORDS_AT_MOST || vasprintf(&words->words[words->count++], format, values) < 0)
        exit(tell(SEAL_FAILED, "out of memory"));
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

/* A comma in a path would begin QEMU's next option; doubled, it is a comma. Our paths come from people. */
static char *without_commas(const char *path)
{
    char *result = grown(NULL, 2 * strlen(path) + 1, 1), *to = result;

    for (; *path != '\0'; *to++ = *path++)
        if (*path == ',')
            *to++ = ',';
    *to = '\0';
    return result;
}

/*
 * What a microvm has besides: a serial line for panics, and the timer, interrupt controller
 * and clock that the kernel knows. ACPI tables and option ROMs take time, and nobody reads them.
 */
static void add_kind(struct words *words, const struct machine_plan *plan)
{
    if (plan->kind == MACHINE_MICROVM) {
        add(words, "-M");
        add(words, "microvm,acpi=off,pit=on,pic=on,rtc=on,isa-serial=on,x-option-roms=off");
        add(words, "-global");
        add(words, "virtio-mmio.force-legacy=false");
        add(words, "-device");
        add(words, "virtio-serial-device,max_ports=2");
    } else {
        add(words, "-M");
        add(words, "pc,usb=off");
        add(words, "-device");
        add(words, "virtio-serial-pci,max_ports=2");
    }
    add(words, "-device");
    add(words, "virtserialport,chardev=channel,nr=1");
}

static void add_accelerator(struct words *words, const struct machine_plan *plan)
{
    add(words, "-accel");
    if (plan->kvm)
        add(words, "kvm");
    else if (plan->memory < SMALL_MEMORY)
        add(words, "tcg,tb-size=8");
    else
        add(words, "tcg");
}

/* Words of people's own, for measurements and experiments; separated by spaces. */
static void add_flags(struct words *words)
{
    char *copy = text("%s", machine_flags()), *rest = copy;

    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        if (word[0] != '\0')
            add(words, "%s", word);
    free(copy);
}

static void command_line(struct words *words, const struct machine_plan *plan, int channel, int serial)
{
    add(words, "%s", machine_emulator());
    add_kind(words, plan);
    add_accelerator(words, plan);
    add(words, "-nodefaults");
    add(words, "-no-user-config");
    add(words, "-display");
    add(words, "none");
    add(words, "-no-reboot");
    add(words, "-m");
    add(words, "size=%" PRIu64 "k", plan->memory / 1024);
    add(words, "-kernel");
    add(words, "%s", plan->kernel);
    if (plan->archive >= 0) {
        add(words, "-initrd");
        add(words, "/proc/self/fd/%d", plan->archive);
    }
    add(words, "-chardev");
    add(words, "socket,id=channel,fd=%d", channel);
    add(words, "-chardev");
    add(words, "socket,id=serial,fd=%d", serial);
    add(words, "-serial");
    add(words, "chardev:serial");
    add(words, "-device");
    add(words, "isa-debug-exit,iobase=0xf4,iosize=0x04");
    if (plan->debug_socket != NULL) {
        char *path = without_commas(plan->debug_socket);

        add(words, "-S");
        add(words, "-chardev");
        add(words, "socket,id=gdb,path=%s,server=on,wait=off", path);
        add(words, "-gdb");
        add(words, "chardev:gdb");
        free(path);
    }
    add_flags(words);
}

static void show(const struct words *words)
{
    fprintf(stderr, "%s:", seal_command);
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

/* A /dev/kvm without the processor's help exists inside some clouds; it emulates, and not enough. */
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

/*
 * In the child, until QEMU takes over. A process group of its own keeps the terminal's
 * Ctrl-C for us: we pass it on as the program should see it.
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
    for (int i = 0; i < count; i++)
        if (inherited[i] >= 0)
            fcntl(inherited[i], F_SETFD, 0);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    execvp(words->words[0], words->words);
    if (errno != ENOENT)
        dprintf(STDERR_FILENO, "%s", strerror(errno));
    else if (write(STDERR_FILENO, no_program, sizeof(no_program) - 1) < 0)
        _exit(NOT_STARTED);
    _exit(NOT_STARTED);
}

static int pairs(int channel[2], int serial[2], int errors[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) == 0) {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, serial) == 0) {
            if (pipe2(errors, O_CLOEXEC) == 0)
                return 0;
            close(serial[0]), close(serial[1]);
        }
        close(channel[0]), close(channel[1]);
    }
    return tell(SEAL_FAILED, "no connection to the machine: %s", strerror(errno));
}

int machine_start(struct machine *machine, const struct machine_plan *plan)
{
    struct words words = { 0 };
    int channel[2], serial[2], errors[2];
    int status = pairs(channel, serial, errors);
    pid_t parent = getpid(), pid;

    if (status != 0)
        return status;
    command_line(&words, plan, channel[1], serial[1]);
    if (plan->verbose)
        show(&words);
    pid = fork();
    if (pid == 0)
        become(&words, parent, errors[1], (int[]){ channel[1], serial[1], plan->archive }, 3);
    words_free(&words);
    close(channel[1]);
    close(serial[1]);
    close(errors[1]);
    if (pid < 0) {
        close(channel[0]), close(serial[0]), close(errors[0]);
        return tell(SEAL_FAILED, "no process for the machine: %s", strerror(errno));
    }
    *machine = (struct machine){ pid, channel[0], serial[0], errors[0] };
    return 0;
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
    return status;
}
