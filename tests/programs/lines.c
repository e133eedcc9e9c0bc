/*
 * lines.c - lines of /proc in which programs have chosen words: no name ends a word or a line that others read, and a
 * process's name is set by itself.
 */
#include "answers.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* The first line of a file with this in it, from there on; what differs from machine to machine comes before. */
static void show(const char *file, const char *with)
{
    static char line[512];
    FILE       *from = fopen(file, "r");

    while (from != NULL && fgets(line, sizeof line, from) != NULL) {
        char *at = strstr(line, with);

        if (at != NULL) {
            printf("%s: %s", file, at);
            break;
        }
    }
    if (from != NULL)
        fclose(from);
}

static long put(const char *file, const char *bytes, size_t count)
{
    int  to = open(file, O_WRONLY), was;
    long done = write(to, bytes, count);

    was = errno;
    close(to);
    errno = was;
    return done;
}

static void names(void)
{
    static char long_one[4000];
    char        child_name[32], name[16];
    int         child;

    prctl(PR_SET_NAME, "a\nUid:\t0\\ b)(");
    show("/proc/self/status", "Name");
    memset(long_one, 'x', sizeof long_one);
    SAY(put("/proc/self/comm", long_one, sizeof long_one));
    show("/proc/self/comm", "");
    SAY(put("/proc/self/comm", "one\ntwo", 7));
    prctl(PR_GET_NAME, name);
    SAY(strcmp(name, "one\ntwo"));
    SAY(put("/proc/self/comm", "one\0two", 7));
    show("/proc/self/comm", "");
    child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    snprintf(child_name, sizeof child_name, "/proc/%d/comm", child);
    SAY(put(child_name, "other", 5));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void mounts(void)
{
    static const char where[] = "/tmp/m n\nt\\x#";
    int               file;

    mkdir(where, 0755);
    SAY(mount("a b\nc\\d#e", where, "tmpfs", 0, NULL));
    show("/proc/self/mounts", "a\\040");
    show("/proc/self/mountinfo", "/tmp/m");
    show("/proc/self/mountstats", "device a\\040");
    if (chdir(where) == 0) {
        file = open("f\ng h\\", O_CREAT | O_RDWR, 0700);
        SAY(ftruncate(file, 4096));
        mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
        show("/proc/self/maps", "/tmp/m n");
    }
    umount2(where, MNT_DETACH);
    rmdir(where);
}

/* Linux for 64 bits has none of this name. */
static void settings(void)
{
    char value = '1';
    int  file  = open("/proc/sys/vm/vdso_enabled", O_RDONLY);

    if (file >= 0 && read(file, &value, 1) != 1)
        return;
    SAY(value - '0');
}

int main(void)
{
    part("names", names);
    part("mounts", mounts);
    part("settings", settings);
    return 0;
}
