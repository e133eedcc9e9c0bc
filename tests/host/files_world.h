/*
 * files_world.h - for tests of kernel/files: a machine for frames and heap, one thread (one_thread.h), a root.
 *
 * Included once by each test program.
 */
#ifndef QUIRE_TESTS_FILES_WORLD_H
#define QUIRE_TESTS_FILES_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "files/path/path.h"
#include "files/tmpfs/tmpfs.h"
#include "machine.h"
#include "memory/audit.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "one_thread.h"

/* ---- A root ---------------------------------------------------------------------------------------- */

static struct file_system *root;
static struct fs_context  *fs;
static struct heap_sums    heap_before;

static inline void start_files(void)
{
    const char *wrong = machine_boot(32 * MiB);

    if (wrong != NULL)
        fail_msg("%s", wrong);
    start_thread();
    heap_sums(&heap_before);
    root = tmpfs_new(0755);
    assert_non_null(root);
    fs = fs_context_new(root->root);
    assert_non_null(fs);
    fs->umask = 0;
    the_process.fs = fs;
}

/* A folder's entries, as getdents() asks for them: under the folder's lock. */
static inline void list_folder(struct node *folder, uint64_t from, folder_visit visit, void *data)
{
    mutex_take(&folder->lock);
    assert_int_equal(folder->operations->list(folder, from, visit, data), 0);
    mutex_drop(&folder->lock);
}

/* The invariants that hold after every operation. */
static inline void check_files(void)
{
    assert_true(tmpfs_ok(root));
}

/* Everything is given back: contents, bookkeeping, all. */
static inline void stop_files(void)
{
    struct heap_sums     after;
    struct audit_report *report = calloc(1, sizeof *report);

    check_files();
    fs_context_release(fs);
    tmpfs_destroy(root);
    heap_sums(&after);
    assert_int_equal(after.live_blocks, heap_before.live_blocks);
    assert_int_equal(after.live_bytes, heap_before.live_bytes);
    assert_int_equal(frames_owned(OWNER_FILE), 0);
    audit_full(report);
    if (report->failed != 0)
        fail_msg("%s: %s", report->failures[0].id, report->failures[0].text);
    free(report);
    machine_stop();
}

/* ---- Short words ------------------------------------------------------------------------------------- */

static inline struct file *open_file(const char *path, uint32_t flags)
{
    struct file *file;
    int          err = path_open(fs, NULL, path, flags | O_LARGEFILE, 0644, &file);

    if (err != 0)
        fail_msg("open %s: %d", path, err);
    return file;
}

static inline long put(struct file *file, const void *bytes, size_t count, uint64_t at)
{
    struct buffer buffer = { .user = (user_t)bytes, .bytes = count };

    return file_write_at(file, &buffer, at);
}

static inline long get(struct file *file, void *bytes, size_t count, uint64_t at)
{
    struct buffer buffer = { .user = (user_t)bytes, .bytes = count };

    return file_read_at(file, &buffer, at);
}

static inline void make_file(const char *path, const void *bytes, size_t count)
{
    struct file *file = open_file(path, O_CREAT | O_RDWR | O_TRUNC);

    assert_int_equal(put(file, bytes, count, 0), count);
    file_release(file);
}

static inline struct node *find(const char *path)
{
    struct node *node;
    int          err = path_find(fs, NULL, path, PATH_NO_FOLLOW, &node);

    if (err != 0)
        fail_msg("find %s: %d", path, err);
    return node;
}

/* A new system of files, mounted on a folder. */
static inline struct file_system *mount_on(const char *path)
{
    struct file_system *other  = tmpfs_new(0700);
    struct node        *folder = find(path);

    assert_non_null(other);
    assert_int_equal(path_mount(folder, other->root), 0);
    node_release(folder);
    return other;
}

/* The same on a new folder. */
static inline struct file_system *mount_new(const char *path)
{
    assert_int_equal(path_make_folder(fs, NULL, path, 0755), 0);
    return mount_on(path);
}

static inline void assert_holds(const char *path, const void *bytes, size_t count)
{
    struct file *file = open_file(path, O_RDONLY);
    char        *read = malloc(count + 1);

    assert_int_equal(get(file, read, count + 1, 0), count);
    assert_memory_equal(read, bytes, count);
    free(read);
    file_release(file);
}

#endif
