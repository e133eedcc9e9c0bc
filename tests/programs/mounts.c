/*
 * mounts.c - file systems that are mounted and unmounted, and refused changes in one that is read-only. Needs root, and
 * mounts of its own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static const char place[] = "/tmp/mounts";

static const char *answer(long result) { return result < 0 ? strerrorname_np(errno) : "ok"; }

static void put(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT, 0755);

    write(file, "#!/bin/true\n", 12), close(file);
}

static void read_only(void)
{
    struct statfs s;
    int           file, again;

    puts("-- read-only");
    mount("none", place, "tmpfs", 0, "mode=755,size=1m");
    put("/tmp/mounts/file"), mkdir("/tmp/mounts/folder", 0755), symlink("file", "/tmp/mounts/link"),
        mkfifo("/tmp/mounts/pipe", 0600);
    mknod("/tmp/mounts/null", S_IFCHR | 0666, 1 << 8 | 3);
    file = open("/tmp/mounts/file", O_WRONLY);
    printf("while it is written: %s\n", answer(mount("none", place, NULL, MS_REMOUNT | MS_RDONLY, NULL)));
    close(file), file = open("/tmp/mounts/file", O_RDONLY);
    printf("while it is read: %s\n", answer(mount("none", place, NULL, MS_REMOUNT | MS_RDONLY, NULL)));
    statfs(place, &s), printf("told: %d\n", (int)(s.f_flags & (ST_RDONLY | ST_NOEXEC)));
    again = open("/tmp/mounts/file", O_RDWR), printf("open: %s", answer(again));
    printf(" read: %s", answer(again = open("/tmp/mounts/file", O_RDONLY))), close(again);
    printf(" cut: %s", answer(open("/tmp/mounts/file", O_RDONLY | O_TRUNC))),
        printf(" make: %s", answer(open("/tmp/mounts/new", O_WRONLY | O_CREAT, 0600)));
    printf(" if it is there: %s", answer(again = open("/tmp/mounts/file", O_RDONLY | O_CREAT, 0600))), close(again);
    printf(" nameless: %s\n", answer(open(place, O_TMPFILE | O_RDWR, 0600)));
    printf("mkdir: %s", answer(mkdir("/tmp/mounts/new", 0700))),
        printf(" there: %s", answer(mkdir("/tmp/mounts/folder", 0700)));
    printf(" rmdir: %s", answer(rmdir("/tmp/mounts/folder"))),
        printf(" unlink: %s", answer(unlink("/tmp/mounts/file")));
    printf(" rename: %s", answer(rename("/tmp/mounts/file", "/tmp/mounts/other"))),
        printf(" link: %s", answer(link("/tmp/mounts/file", "/tmp/mounts/other")));
    printf(" symlink: %s", answer(symlink("a", "/tmp/mounts/other"))),
        printf(" mknod: %s\n", answer(mkfifo("/tmp/mounts/other", 0600)));
    printf("chmod: %s", answer(chmod("/tmp/mounts/file", 0600))), printf(" fchmod: %s", answer(fchmod(file, 0600)));
    printf(" chown: %s", answer(chown("/tmp/mounts/file", 0, 0))),
        printf(" times: %s", answer(utimes("/tmp/mounts/file", NULL)));
    printf(" truncate: %s", answer(truncate("/tmp/mounts/file", 0))),
        printf(" may write: %s", answer(access("/tmp/mounts/file", W_OK)));
    printf(" may read: %s", answer(access("/tmp/mounts/file", R_OK))),
        printf(" a pipe: %s\n", answer(access("/tmp/mounts/pipe", W_OK)));
    again = open("/tmp/mounts/pipe", O_RDWR), printf("open a pipe: %s", answer(again)), close(again);
    again = open("/tmp/mounts/null", O_RDWR), printf(" a device: %s\n", answer(again)), close(again);
    printf("writable again: %s", answer(mount("none", place, NULL, MS_REMOUNT, NULL))),
        printf(" chmod: %s\n", answer(fchmod(file, 0700)));
    close(file);
}

static void other_flags(void)
{
    int file, status;

    puts("-- no devices, no programs");
    printf("set: %s\n", answer(mount("none", place, NULL, MS_REMOUNT | MS_NODEV | MS_NOEXEC | MS_NOSUID, NULL)));
    printf("a device: %s\n", answer(open("/tmp/mounts/null", O_RDWR)));
    fflush(stdout);
    if (fork() == 0) {
        execl("/tmp/mounts/file", "file", NULL);
        printf("a program: %s\n", strerrorname_np(errno));
        fflush(stdout), _exit(0);
    }
    wait(&status);
    file = open("/tmp/mounts/file", O_RDWR);
    printf("mapped: %s\n", mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0) == MAP_FAILED
           ? strerrorname_np(errno) : "ok");
    close(file);
}

static void away(void)
{
    int   file = open("/tmp/mounts/file", O_RDONLY);
    void *shown;

    puts("-- away");
    printf("open: %s", answer(umount(place))), close(file);
    chdir("/tmp/mounts/folder"), printf(" in it: %s", answer(umount(place))), chdir("/");
    file = open("/tmp/mounts/file", O_RDONLY), shown = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0), close(file);
    printf(" mapped: %s", answer(umount(place))), munmap(shown, 4096);
    mount("none", "/tmp/mounts/folder", "tmpfs", 0, NULL), printf(" one in it: %s\n", answer(umount(place)));
    printf("the inner: %s", answer(umount("/tmp/mounts/folder"))),
        printf(" no root: %s", answer(umount("/tmp/mounts/folder")));
    printf(" nothing there: %s", answer(umount("/tmp/mounts/no-such"))),
        printf(" flags: %s", answer(umount2(place, 1 << 20)));
    printf(" two that exclude each other: %s\n", answer(umount2(place, MNT_EXPIRE | MNT_DETACH)));
    printf("expired: %s", answer(umount2(place, MNT_EXPIRE))), printf(" %s", answer(umount2(place, MNT_EXPIRE)));
    printf(" what was there: %s\n", answer(access("/tmp/mounts/file", F_OK)));
    mount("none", place, "tmpfs", 0, NULL), put("/tmp/mounts/one"), mount("none", place, "tmpfs", 0, NULL),
        put("/tmp/mounts/two");
    printf("two upon each other: %s %s;", answer(access("/tmp/mounts/two", F_OK)),
           answer(access("/tmp/mounts/one", F_OK)));
    printf(" %s", answer(umount(place))), printf(" %s\n", answer(access("/tmp/mounts/one", F_OK)));
    file = open("/tmp/mounts/one", O_RDWR);
    printf("lazily: %s", answer(umount2(place, MNT_DETACH))),
        printf(" gone: %s", answer(access("/tmp/mounts/one", F_OK)));
    printf(" still open: %s\n", answer(write(file, "x", 1))), close(file);
    printf("another type: %s", answer(mount("none", place, "no-such", 0, NULL))),
        printf(" a wrong word: %s", answer(mount("none", place, "tmpfs", 0, "mode=9")));
    put("/tmp/mounts-file"), printf(" no folder: %s", answer(mount("none", "/tmp/mounts-file", "tmpfs", 0, NULL))),
        unlink("/tmp/mounts-file"),
        printf(" again what is not: %s\n", answer(mount("none", place, NULL, MS_REMOUNT, NULL)));
    printf("proc: %s", answer(mount("none", place, "proc", 0, NULL))),
        printf(" %s", answer(access("/tmp/mounts/self/stat", F_OK)));
    printf(" read-only: %s", answer(mount("none", place, NULL, MS_REMOUNT | MS_RDONLY, NULL)));
    printf(" to write: %s", answer(open("/tmp/mounts/self/comm", O_WRONLY))),
        printf(" away: %s\n", answer(umount(place)));
}

static void moved(void)
{
    char path[64];
    int  file;

    puts("-- moved");
    mkdir("/tmp/there", 0755), mkdir("/tmp/there/else", 0755);
    mount("none", place, "tmpfs", 0, ""), put("/tmp/mounts/file"), mkdir("/tmp/mounts/in", 0755);
    mount("none", "/tmp/mounts/in", "tmpfs", 0, ""), put("/tmp/mounts/in/deep");
    chdir("/tmp/mounts/in"), file = open("deep", O_RDONLY);
    printf("to itself: %s\n", answer(mount(place, place, NULL, MS_MOVE, NULL)));
    printf("into itself: %s\n", answer(mount(place, "/tmp/mounts/in", NULL, MS_MOVE, NULL)));
    printf("no mount: %s\n", answer(mount("/tmp/there/else", "/tmp/there", NULL, MS_MOVE, NULL)));
    printf("onto a file: %s\n", answer(mount(place, "/proc/self/status", NULL, MS_MOVE, NULL)));
    printf("from nowhere: %s\n", answer(mount("/tmp/nowhere", "/tmp/there", NULL, MS_MOVE, NULL)));
    printf("to nowhere: %s\n", answer(mount(place, "/tmp/nowhere", NULL, MS_MOVE, NULL)));
    printf("from nothing: %s\n", answer(mount(NULL, "/tmp/there", NULL, MS_MOVE, NULL)));
    printf("to a folder: %s\n", answer(mount(place, "/tmp/there/else", NULL, MS_MOVE, NULL)));
    printf("where it was: %s", answer(access("/tmp/mounts/file", F_OK)));
    printf(" where it is: %s", answer(access("/tmp/there/else/file", F_OK)));
    printf(" in it: %s", answer(access("/tmp/there/else/in/deep", F_OK)));
    printf(" open: %s\n", answer(read(file, path, 1)));
    printf("we are in %s\n", getcwd(path, sizeof path));
    chdir("/"), close(file);
    printf("away with it: %s", answer(umount("/tmp/there/else")));
    printf(" with what is in it: %s", answer(umount("/tmp/there/else/in")));
    printf(" now: %s\n", answer(umount("/tmp/there/else")));
    rmdir("/tmp/there/else"), rmdir("/tmp/there");
}

/* Each is mounted in the one before. All of them are moved into a younger one, and go with it. */
static void deep(void)
{
    enum { DEPTH = 1500 };
    int made = 0;

    puts("-- deep");
    mkdir("/tmp/apart", 0755), chdir(place);
    while (made < DEPTH && mount("none", made == 0 ? place : "in", "tmpfs", 0, "") == 0 &&
           chdir(made == 0 ? place : "in") == 0 && mkdir("in", 0755) == 0)
        made++;
    printf("made: %d\n", made);
    mount("none", "/tmp/apart", "tmpfs", 0, ""), mkdir("/tmp/apart/in", 0755), chdir("/");
    printf("moved: %s\n", answer(mount(place, "/tmp/apart/in", NULL, MS_MOVE, NULL)));
    printf("away: %s", answer(umount2("/tmp/apart", MNT_DETACH)));
    printf(" gone: %s\n", answer(access("/tmp/apart/in", F_OK)));
    rmdir("/tmp/apart");
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    unshare(CLONE_NEWNS), mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    mkdir(place, 0755);
    read_only();
    other_flags();
    away();
    moved();
    deep();
    rmdir(place);
    return 0;
}
