/*
 * writeonly.c - memory that may be written and not read, by its protection: x86 lets it be read, and so must every
 * path.
 *
 * Each kind of memory, each way by which its entry comes about, read by the program and by a call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

static int fd;

static void look(const char *what, char *p)
{
    int by_call = write(fd, p, 1) == 1 ? 0 : errno, read = *(volatile char *)p;

    *(volatile char *)p = 5;
    printf("%s: by a call %d, read %d, written %d\n", what, by_call, read, *(volatile char *)p);
}

/* With a child that maps the same frames meanwhile. */
static void shared_with_a_child(const char *what, char *p, void (*then)(char *))
{
    int   gate[2];
    pid_t child;

    pipe(gate);
    child = fork();
    if (child == 0) {
        char c;

        close(gate[1]);
        read(gate[0], &c, 1);
        _exit(*(volatile char *)p);
    }
    close(gate[0]);
    then(p);
    look(what, p);
    close(gate[1]);
    waitpid(child, NULL, 0);
}

static void write_only(char *p)         { mprotect(p, PAGE, PROT_WRITE); }
static void none_then_write_only(char *p) { mprotect(p, PAGE, PROT_NONE); mprotect(p, PAGE, PROT_WRITE); }
static void nothing(char *p)            { (void)p; }

static char *fresh(int rights, int flags)  { return mmap(NULL, PAGE, rights, flags | MAP_ANONYMOUS, -1, 0); }

int main(void)
{
    char  bytes[PAGE] = { 7 };
    char *p;
    int   file = memfd_create("file", 0);

    fd = memfd_create("sink", 0);
    write(file, bytes, PAGE);
    look("fresh", fresh(PROT_WRITE, MAP_PRIVATE));
    look("fresh and shared", fresh(PROT_WRITE, MAP_SHARED));
    p = fresh(PROT_WRITE, MAP_PRIVATE);
    *p = 3;
    look("written first", p);
    look("a private file", mmap(NULL, PAGE, PROT_WRITE, MAP_PRIVATE, file, 0));
    look("a shared file", mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, file, 0));
    p = fresh(PROT_READ | PROT_WRITE, MAP_PRIVATE);
    *p = 1;
    none_then_write_only(p);
    look("none, then write only", p);
    p = fresh(PROT_READ | PROT_WRITE, MAP_PRIVATE);
    *p = 1;
    shared_with_a_child("shared by fork, write only", p, write_only);
    p = fresh(PROT_READ | PROT_WRITE, MAP_PRIVATE);
    *p = 1;
    shared_with_a_child("shared by fork, none, write only", p, none_then_write_only);
    p = fresh(PROT_WRITE, MAP_PRIVATE);
    *p = 1;
    shared_with_a_child("write only, then shared by fork", p, nothing);
    p = fresh(PROT_WRITE, MAP_PRIVATE);
    shared_with_a_child("untouched, then shared by fork", p, nothing);
    p = fresh(PROT_READ, MAP_PRIVATE);
    bytes[1] = *(volatile char *)p;
    none_then_write_only(p);
    look("the frame of zeros, then write only", p);
    p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    bytes[1] = *(volatile char *)p;
    shared_with_a_child("a file's page, none, write only", p, none_then_write_only);
    look("write and execute", fresh(PROT_WRITE | PROT_EXEC, MAP_PRIVATE));
    printf("end\n");
    return 0;
}
