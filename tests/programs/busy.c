/*
 * busy.c - a running file cannot be written, a file open for writing cannot run: by every call, and the state
 * afterwards.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char copy[] = "/tmp/busy-copy", script[] = "/tmp/busy-script";

static const char *answer(long result) { return result < 0 ? strerrorname_np(errno) : "ok"; }

static void duplicate(const char *to)
{
    static char block[65536];
    int         in = open("/proc/self/exe", O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    ssize_t     got;

    while ((got = read(in, block, sizeof block)) > 0)
        if (write(out, block, (size_t)got) != got)
            exit(1);
    close(in), close(out);
}

/* Run the file with one argument; prints the result. */
static void run(const char *when, const char *path)
{
    int   status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        execl(path, path, "done", NULL);
        printf("%s: %s\n", when, strerrorname_np(errno));
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 7)
        printf("%s: runs\n", when);
}

/* Each way to write the file. */
static void attack(const char *when)
{
    int file;

    printf("%s:", when);
    file = open(copy, O_WRONLY), printf(" %s", answer(file)), close(file);
    file = open(copy, O_RDWR), printf(" %s", answer(file)), close(file);
    file = open(copy, O_WRONLY | O_APPEND), printf(" %s", answer(file)), close(file);
    file = open(copy, O_RDONLY), printf(" %s", answer(file)), close(file);
    file = open(copy, O_PATH), printf(" %s", answer(file)), close(file);
    printf(" %s\n", answer(truncate(copy, 1 << 30)));
}

/* A copy of this program that runs until it is killed, and how many children it has made. */
static pid_t sleeper(const char *children)
{
    int   p[2];
    char  c;
    pid_t child;

    pipe(p);
    child = fork();
    if (child == 0) {
        dup2(p[1], 9);
        execl(copy, copy, "sleep", children, NULL);
        _exit(1);
    }
    close(p[1]), read(p[0], &c, 1), close(p[0]);
    return child;
}

static void end(pid_t child) { kill(-child, SIGKILL), kill(child, SIGKILL), waitpid(child, NULL, 0); }

static void running(void)
{
    pid_t child;
    int   file, status;

    puts("-- while it runs");
    file = open("/proc/self/exe", O_WRONLY), printf("myself: %s\n", answer(file));
    file = open("/proc/self/exe", O_RDONLY | O_TRUNC), printf("myself, cut: %s\n", answer(file));
    attack("before");
    child = sleeper("0"), attack("running"), end(child), attack("ended");
    child = sleeper("1"), kill(child, SIGKILL), waitpid(child, NULL, 0), attack("a child of it runs");
    end(child);
    for (int i = 0; i < 2000 && (file = open(copy, O_WRONLY)) < 0; i++)
        usleep(1000);
    close(file), attack("both ended");
    child = sleeper("0");
    printf("unlinked: %s\n", answer(unlink(copy)));
    duplicate(copy), attack("another of that name"), end(child);
    child = sleeper("0");
    printf("moved: %s\n", answer(rename(copy, script)));
    file = open(script, O_WRONLY), printf("by its new name: %s\n", answer(file));
    end(child), rename(script, copy);
    child = vfork();
    if (child == 0) {
        execl(copy, copy, "done", NULL);
        _exit(1);
    }
    waitpid(child, &status, 0), attack("after vfork");
}

static void written(void)
{
    int   file = open(copy, O_WRONLY), again;
    char *shown;
    pid_t child;

    puts("-- while it is written");
    run("open for writing", copy);
    again = dup(file), close(file), run("a copy of that", copy);
    close(again), run("closed", copy);
    file = open(copy, O_RDONLY), run("open for reading", copy);
    shown = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0), run("mapped for reading", copy);
    munmap(shown, 4096), close(file);
    file = open(copy, O_RDWR | O_CLOEXEC), run("closed on exec", copy), close(file);
    child = fork();
    if (child == 0) {
        open(copy, O_RDWR);
        _exit(0);
    }
    waitpid(child, NULL, 0), run("after a writer's end", copy);
    printf("failed opens count for nothing: %s", answer(open(copy, O_WRONLY | O_DIRECTORY)));
    printf(" %s\n", answer(open(copy, O_WRONLY | O_CREAT | O_EXCL, 0600)));
    run("then", copy);
}

static void scripts(void)
{
    int file = open(script, O_WRONLY | O_CREAT | O_TRUNC, 0755);

    puts("-- scripts");
    dprintf(file, "#!%s done\n", copy), run("written", script);
    close(file), run("a script", script);
    file = open(copy, O_WRONLY), run("its interpreter written", script), close(file);
    run("again", script), attack("after that");
    file = open(script, O_WRONLY | O_TRUNC), dprintf(file, "#!/no/such\n"), close(file), run("no interpreter", script);
    file = open(script, O_WRONLY), printf("written again: %s\n", answer(file)), close(file);
    file = open(script, O_WRONLY | O_TRUNC), write(file, "\177ELFnothing", 11), close(file), run("no program", script);
    file = open(script, O_WRONLY), printf("written again: %s\n", answer(file)), close(file);
    chmod(script, 0600), run("not to be run", script);
    file = open(script, O_WRONLY), printf("written again: %s\n", answer(file)), close(file);
}

static void memory_files(void)
{
    static char block[65536];
    char        path[40];
    int         in = open("/proc/self/exe", O_RDONLY), out = memfd_create("busy", 0), again;
    ssize_t     got;

    puts("-- a file in memory");
    while ((got = read(in, block, sizeof block)) > 0)
        write(out, block, (size_t)got);
    sprintf(path, "/proc/self/fd/%d", out);
    run("open as it was made", path);
    again = open(path, O_WRONLY), printf("opened again: %s\n", answer(again));
    run("while opened again", path), close(again), run("closed", path);
    close(in), close(out);
}

int main(int count, char **words)
{
    if (count > 1 && strcmp(words[1], "sleep") == 0) {
        setpgid(0, 0);
        if (words[2][0] == '1' && fork() != 0)
            for (;;)
                pause();
        write(9, "x", 1), close(9);
        for (;;)
            pause();
    }
    if (count > 1)
        return 7;
    setvbuf(stdout, NULL, _IOLBF, 0);
    duplicate(copy);
    running();
    written();
    scripts();
    memory_files();
    unlink(copy), unlink(script);
    return 0;
}
