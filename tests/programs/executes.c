/*
 * executes.c - answers of Linux to execve(2) and execveat(2): flags, descriptors, scripts, names, shared tables.
 *
 * Each line is a question and its answer. The program it runs is itself: with "show" it prints its arguments,
 * with "open N" whether descriptor N is open.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "/tmp/executes"

static char *const show[] = { "zero", "show", "two words", NULL };
static char *const none[] = { NULL };

/* Run in a child; if execveat() returns, its result is the child's status. */
static void ask(const char *question, int fd, const char *path, char *const argv[], int flags)
{
    int status = 0;

    printf("%s: ", question);
    fflush(stdout);
    if (fork() == 0) {
        syscall(SYS_execveat, fd, path, argv, none, flags);
        printf("%s\n", strerrorname_np(errno));
        fflush(stdout);
        _exit(100);
    }
    wait(&status);
    if (status != 0 && status != 100 << 8)
        printf("status %x\n", status);
}

static int shown(int argc, char **argv)
{
    char name[16] = "";

    prctl(PR_GET_NAME, name);
    printf("name %s, file %s, arguments", name, (const char *)getauxval(AT_EXECFN));
    for (int i = 0; i < argc; i++)
        printf(" [%s]", argv[i]);
    printf("\n");
    return 0;
}

static void put(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);

    write(fd, text, strlen(text));
    fchmod(fd, mode);
    close(fd);
}

static void copy_to(int to)
{
    static char buffer[65536];
    int         from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ssize_t     got;

    while ((got = read(from, buffer, sizeof buffer)) > 0)
        write(to, buffer, got);
    close(from);
    fchmod(to, 0700);
}

static void copy_program(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0700);

    copy_to(fd);
    close(fd);
}

static void prepare(void)
{
    mkdir(FOLDER, 0755);
    mkdir(FOLDER "/folder", 0755);
    copy_program(FOLDER "/program");
    put(FOLDER "/plain", "no program", 0600);
    put(FOLDER "/garbage", "no program", 0700);
    put(FOLDER "/script", "#!" FOLDER "/program show\n", 0700);
    put(FOLDER "/nested", "#!" FOLDER "/script nested argument \n", 0700);
    put(FOLDER "/self", "#!" FOLDER "/self\n", 0700);
    put(FOLDER "/orphan", "#!/no/such\n", 0700);
    symlink("program", FOLDER "/link");
    symlink("circle", FOLDER "/circle");
    mkfifo(FOLDER "/fifo", 0700);
}

static void paths(int folder, int program)
{
    ask("absolute path", -1, FOLDER "/program", show, 0);
    ask("path from a folder", folder, "program", show, 0);
    ask("path from the working directory", AT_FDCWD, "program", show, 0);
    ask("link", folder, "link", show, 0);
    ask("link that is not followed", folder, "link", show, AT_SYMLINK_NOFOLLOW);
    ask("absolute link that is not followed", -1, FOLDER "/link", show, AT_SYMLINK_NOFOLLOW);
    ask("no link, not followed", folder, "program", show, AT_SYMLINK_NOFOLLOW);
    ask("circle", folder, "circle", show, 0);
    ask("missing", folder, "missing", show, 0);
    ask("descriptor -1", -1, "program", show, 0);
    ask("descriptor that is no folder", program, "program", show, 0);
    ask("folder", folder, "folder", show, 0);
    ask("fifo", folder, "fifo", show, 0);
    ask("without the right", folder, "plain", show, 0);
    ask("garbage", folder, "garbage", show, 0);
    ask("path through a file", folder, "program/x", show, 0);
}

static void empty_paths(int folder, int program)
{
    int only = open(FOLDER "/program", O_PATH), link = open(FOLDER "/link", O_PATH | O_NOFOLLOW);
    int plain = open(FOLDER "/plain", O_RDONLY);

    ask("empty path", program, "", show, AT_EMPTY_PATH);
    ask("empty path without the flag", program, "", show, 0);
    ask("empty path, bad descriptor, without the flag", -1, "", show, 0);
    ask("empty path, bad descriptor", -1, "", show, AT_EMPTY_PATH);
    ask("empty path, both flags", program, "", show, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
    ask("path, and the flag", folder, "program", show, AT_EMPTY_PATH);
    ask("empty path, O_PATH", only, "", show, AT_EMPTY_PATH);
    ask("empty path, O_PATH of a link", link, "", show, AT_EMPTY_PATH);
    ask("empty path, folder", folder, "", show, AT_EMPTY_PATH);
    ask("empty path, working directory", AT_FDCWD, "", show, AT_EMPTY_PATH);
    ask("empty path, without the right", plain, "", show, AT_EMPTY_PATH);
    close(only), close(link), close(plain);
}

static void hostile(int folder)
{
    static char long_path[5000];

    memset(long_path, 'a', sizeof long_path - 1);
    ask("unknown flag", folder, "program", show, 0x200);
    ask("all flags", folder, "program", show, -1);
    ask("unknown flag, bad path", folder, (char *)1, show, 0x200);
    ask("unknown flag, bad descriptor", -1, "program", show, 0x200);
    ask("path at 1", folder, (char *)1, show, 0);
    ask("path at the kernel", folder, (char *)-4096, show, AT_EMPTY_PATH);
    ask("no path", folder, NULL, show, AT_EMPTY_PATH);
    ask("arguments at 1", folder, "program", (char **)1, 0);
    ask("bad arguments, bad descriptor", -1, "program", (char **)1, 0);
    ask("an argument at 1", folder, "program", (char *[]){ "zero", (char *)1, NULL }, 0);
    ask("long path", folder, long_path, show, 0);
    ask("descriptor INT_MIN", INT32_MIN, "program", show, 0);
    ask("descriptor INT_MAX", INT32_MAX, "", show, AT_EMPTY_PATH);
}

static void scripts(int folder)
{
    int script = open(FOLDER "/script", O_RDONLY), closing = open(FOLDER "/script", O_RDONLY | O_CLOEXEC);
    int closing_folder = open(FOLDER, O_RDONLY | O_CLOEXEC), program = open(FOLDER "/program", O_RDONLY | O_CLOEXEC);
    int high;

    high = fcntl(script, F_DUPFD, 50);
    close(script);
    ask("script", -1, FOLDER "/script", show, 0);
    ask("script from a folder", folder, "script", show, 0);
    ask("script by descriptor", high, "", show, AT_EMPTY_PATH);
    ask("script by a descriptor that closes", closing, "", show, AT_EMPTY_PATH);
    ask("script from a folder that closes", closing_folder, "script", show, 0);
    ask("absolute script, and a descriptor that closes", closing_folder, FOLDER "/script", show, 0);
    ask("program by a descriptor that closes", program, "", show, AT_EMPTY_PATH);
    ask("script of a script", -1, FOLDER "/nested", show, 0);
    ask("script of itself", -1, FOLDER "/self", show, 0);
    ask("script without its interpreter", -1, FOLDER "/orphan", show, 0);
    close(high), close(closing), close(closing_folder), close(program);
}

/* The first is the program's own; each of the others is run by the one before. */
static void chain(void)
{
    char path[64], text[96];

    for (int i = 1; i <= 7; i++) {
        snprintf(path, sizeof path, FOLDER "/chain%d", i);
        if (i == 1)
            snprintf(text, sizeof text, "#!" FOLDER "/program show\n");
        else
            snprintf(text, sizeof text, "#!" FOLDER "/chain%d\n", i - 1);
        put(path, text, 0700);
    }
    ask("five scripts", -1, FOLDER "/chain5", show, 0);
    ask("six scripts", -1, FOLDER "/chain6", show, 0);
}

static void nameless(void)
{
    char again[32];
    int  memory = memfd_create("image", MFD_CLOEXEC), file = open(FOLDER, O_TMPFILE | O_RDWR, 0700), kept;

    copy_to(memory);
    ask("memfd", memory, "", show, AT_EMPTY_PATH);
    copy_to(file);
    ask("file without a name, open for writing", file, "", show, AT_EMPTY_PATH);
    snprintf(again, sizeof again, "/proc/self/fd/%d", file);
    kept = open(again, O_RDONLY | O_CLOEXEC);
    close(file);
    kept = dup3(kept, 60, O_CLOEXEC);
    ask("file without a name", kept, "", show, AT_EMPTY_PATH);
    printf("fexecve: ");
    fflush(stdout);
    if (fork() == 0) {
        fexecve(kept, show, none);
        _exit(1);
    }
    wait(NULL);
    close(memory), close(kept);
}

static int run_open(void *number)
{
    execl(FOLDER "/program", "program", "open", (char *)number, NULL);
    return 1;
}

/* A table of descriptors shared by CLONE_FILES: exec closes descriptors in a copy of the table. */
static void shared_table(void)
{
    static char stack[65536], number[16];
    int         status, closing = open("/dev/null", O_RDONLY | O_CLOEXEC), staying = open("/dev/null", O_RDONLY);
    pid_t       child;

    printf("shared, closes on exec: ");
    fflush(stdout);
    snprintf(number, sizeof number, "%d", closing);
    child = clone(run_open, stack + sizeof stack, CLONE_FILES | SIGCHLD, number);
    waitpid(child, &status, 0);
    printf("the other's: %d\n", fcntl(closing, F_GETFD));
    printf("shared, stays: ");
    fflush(stdout);
    snprintf(number, sizeof number, "%d", staying);
    child = clone(run_open, stack + sizeof stack, CLONE_FILES | CLONE_VM | CLONE_VFORK | SIGCHLD, number);
    waitpid(child, &status, 0);
    printf("the other's: %d, %d\n", fcntl(staying, F_GETFD), fcntl(closing, F_GETFD));
    close(closing), close(staying);
}

static int fail_to_run(void *nothing)
{
    (void)nothing;
    execl(FOLDER "/garbage", "garbage", NULL);
    return dup2(0, 70) == 70 ? 0 : 1;
}

/* An exec that fails leaves the table shared. */
static void still_shared(void)
{
    static char stack[65536];
    int         status;
    pid_t       child = clone(fail_to_run, stack + sizeof stack, CLONE_FILES | SIGCHLD, NULL);

    waitpid(child, &status, 0);
    printf("failed exec: status %x, still shared %d\n", status, fcntl(70, F_GETFD));
    close(70);
}

static void only_execute(void)
{
    chmod(FOLDER "/program", 0711);
    fflush(stdout);
    if (fork() == 0) {
        setresgid(1000, 1000, 1000);
        setresuid(1000, 1000, 1000);
        ask("executable, not readable", -1, FOLDER "/program", show, 0);
        ask("neither", -1, FOLDER "/nested", show, 0);
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
}

int main(int argc, char **argv)
{
    int folder, program;

    if (argc > 1 && strcmp(argv[1], "show") == 0)
        return shown(argc, argv);
    if (argc > 2 && strcmp(argv[1], "open") == 0)
        return printf("descriptor %s\n", fcntl(atoi(argv[2]), F_GETFD) == -1 ? "closed" : "open") < 0;
    prepare();
    chdir(FOLDER);
    folder  = dup2(open(FOLDER, O_RDONLY), 20);
    program = dup2(open(FOLDER "/program", O_RDONLY), 21);
    paths(folder, program);
    empty_paths(folder, program);
    hostile(folder);
    scripts(folder);
    chain();
    nameless();
    shared_table();
    still_shared();
    only_execute();
    return 0;
}
