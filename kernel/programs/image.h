/*
 * image.h - a program's memory at its first instruction. Internal to exec.
 *
 * The stack a program starts with (System V ABI, Intel386 supplement, "Process Initialization"), lowest address
 * first: argument count, pointers to arguments, NULL, pointers to the environment, NULL, the
 * auxiliary vector, then the texts these point to. Nothing is placed at random: the same program has
 * the same addresses in each run, as measurements need.
 *
 * Locking  all calls may sleep, and are made without a lock. With many arguments they have points of rest.
 */
#ifndef QUIRE_PROGRAMS_IMAGE_H
#define QUIRE_PROGRAMS_IMAGE_H

#include "files/core/file.h"
#include "process/process.h"

/* Arguments and environment: texts one after the other, each with its NUL, in one block of the heap. */
struct image_arguments {
    char    *text;
    size_t   used, room;
    size_t   environment;               /* where the environment's texts begin */
    uint32_t argument_count, environment_count;
    const char *path;                   /* the program to run; NULL: argument 0, a script's interpreter */
};

/* Which program is to be run: execve(2), execveat(2). */
struct program_name {
    struct node *start;                 /* where a relative path begins, or with PATH_EMPTY_IS_START the file itself;
                                           NULL: the working directory                                            */
    const char  *path;
    unsigned     flags;                 /* of path_open_program()                                                 */
    const char  *name;                  /* the name that the program and a script's interpreter get: AT_EXECFN    */
    bool         closes;                /* that name leads through a descriptor that exec closes: no interpreter
                                           could open a script by that name                                       */
};

enum { ARGUMENTS_MAXIMUM = 2 * 1024 * 1024, ARGUMENT_LONGEST = 128 * 1024 };

/* Copy both vectors from the program. Returns 0, -EFAULT, -E2BIG, -ENOMEM; needs image_free() in any case. */
int  image_collect(struct image_arguments *arguments, user_t argument_vector, user_t environment_vector) MUST_CHECK;
/* The same from kernel memory; both vectors end with NULL. */
int image_collect_kernel(struct image_arguments *arguments, char *const argument[],
                         char *const environment[]) MUST_CHECK;
void image_free(struct image_arguments *arguments);

/*
 * Replace argument 0 by a script's interpreter, the interpreter's argument (or NULL) and the script's path. If the
 * interpreter is itself a script, its path is the argument 0 that this call has set.
 */
int  image_script(struct image_arguments *arguments, const char *interpreter, const char *argument) MUST_CHECK;

struct image {
    vaddr_t entry, stack;
};

/*
 * Build the program in `file`, its stack and the vDSO (vdso.h) in a new space that is not current. Returns 0 or a
 * negative errno: -ENOEXEC for what is no program, -ELIBBAD where its interpreter is none, and what opening that and
 * mapping return. On error the space may hold anything and is to be released.
 */
int image_build(struct shared_space *memory, struct file *file, const char *path,
                const struct image_arguments *arguments, struct image *image) MUST_CHECK;

/* exec.c */
/*
 * Open a file to run it, or to have it run another: a regular file with contents in memory, which its rights and its
 * file system allow to be executed and which nobody writes. `flags` as of path_open_program(). -EACCES, -ETXTBSY, or
 * what that returns. As long as the open file lives, nobody writes it.
 */
int program_open(struct node *start, const char *path, unsigned flags, struct file **out) MUST_CHECK;
/*
 * Start a new program in the current process, with arguments->path as program->name. Returns 0, with nothing of the old
 * program left, or a negative errno, with the old program unchanged.
 */
int process_execute_arguments(const struct program_name *program, struct image_arguments *arguments) MUST_CHECK;

#endif
