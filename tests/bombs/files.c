/*
 * files.c - bombs of files: contents, names, folders, descriptors and file systems. See bombs.h.
 */
#include "bombs.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static void file_size(void)
{
    int file = open("large", O_RDWR | O_CREAT, 0600);

    UNTIL_REFUSED(write(file, block, sizeof block) == sizeof block);
}

static bool make_file(const char *format, unsigned n, size_t bytes)
{
    char name[300];
    int  file;

    snprintf(name, sizeof name, format, n);
    file = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (file < 0)
        return false;
    bool good = bytes == 0 || write(file, block, bytes) == (ssize_t)bytes;
    close(file);
    return good;
}

static void files_many(void)   { UNTIL_REFUSED(make_file("%u", told->made, 1)); }
static void names_long(void)   { UNTIL_REFUSED(make_file("%0250u", told->made, 0)); }
static void folders_deep(void) { UNTIL_REFUSED(mkdir("d", 0700) == 0 && chdir("d") == 0); }

static void links(void)
{
    char name[20];

    close(open("one", O_CREAT | O_WRONLY, 0600));
    for (;;) {
        snprintf(name, sizeof name, "%u", told->made);
        count_or_hold(link("one", name) == 0);
    }
}

static void symbolic(void)
{
    char name[20], to[4000];

    memset(to, 'x', sizeof to);
    to[sizeof to - 1] = '\0';
    for (;;) {
        snprintf(name, sizeof name, "%u", told->made);
        count_or_hold(symlink(to, name) == 0);
    }
}

static void fifos(void)
{
    char name[20];

    many_descriptors();
    for (;;) {
        snprintf(name, sizeof name, "%u", told->made);
        count_or_hold(mkfifo(name, 0600) == 0 && open(name, O_RDWR) >= 0);
    }
}

static void memory_files(void)
{
    many_descriptors();
    for (;;) {
        int file = memfd_create("bomb", 0);

        count_or_hold(file >= 0 && write(file, block, PAGE) == PAGE);
    }
}

static void removed_files(void)
{
    many_descriptors();
    for (;;) {
        int file = open("removed", O_RDWR | O_CREAT | O_EXCL, 0600);

        count_or_hold(file >= 0 && unlink("removed") == 0 && write(file, block, PAGE) == PAGE);
    }
}

static void descriptors(void)
{
    many_descriptors();
    UNTIL_REFUSED(dup(0) >= 0);
}

static void record_locks(void)
{
    int file = open("locked", O_RDWR | O_CREAT, 0600);

    for (;;) {
        struct flock one = { .l_type = F_WRLCK, .l_start = 2 * (off_t)told->made, .l_len = 1 };

        count_or_hold(fcntl(file, F_SETLK, &one) == 0);
    }
}

static void flocks(void)
{
    many_descriptors();
    for (;;) {
        int file = open("locked", O_RDWR | O_CREAT, 0600);

        count_or_hold(file >= 0 && flock(file, LOCK_SH) == 0);
    }
}

static void readers_of_proc(void)
{
    many_descriptors();
    for (;;) {
        int  file = open("/proc/self/smaps", O_RDONLY);
        char byte;

        count_or_hold(file >= 0 && read(file, &byte, 1) == 1);
    }
}

static void sealed_files(void)
{
    many_descriptors();
    for (;;) {
        int file = memfd_create("sealed", MFD_ALLOW_SEALING);

        count_or_hold(file >= 0 && write(file, block, PAGE) == PAGE &&
                      fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0 &&
                      mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0) != MAP_FAILED);
    }
}

/* Working folders that have been removed, each held by a descriptor and below the one before. */
static void removed_folders(void)
{
    many_descriptors();
    for (;;) {
        count_or_hold(mkdir("gone", 0700) == 0);
        count_or_hold(open("gone", O_RDONLY | O_DIRECTORY) >= 0);
        rmdir("gone");
    }
}

/* File systems, each over the root of the one before. */
static void mounts(void)
{
    mkdir("m", 0700);
    UNTIL_REFUSED(mount("bomb", "m", "tmpfs", 0, "mode=700") == 0);
}

const struct bomb bombs_of_files[] = {
    { "file-size", file_size }, { "files", files_many }, { "names", names_long }, { "deep-folders", folders_deep },
    { "links", links }, { "symbolic-links", symbolic }, { "fifos", fifos }, { "memfds", memory_files },
    { "removed-files", removed_files }, { "descriptors", descriptors }, { "record-locks", record_locks },
    { "flocks", flocks }, { "proc-readers", readers_of_proc }, { "sealed-files", sealed_files },
    { "removed-folders", removed_folders }, { "mounts", mounts },
    { NULL, NULL }
};
