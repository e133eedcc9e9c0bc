/*
 * proc_node.h - the nodes and texts of /proc. Internal to proc*.c.
 */
#ifndef QUIRE_FILES_PROC_NODE_H
#define QUIRE_FILES_PROC_NODE_H

#include "files/proc/proc.h"

/* Text that grows on the heap. Once it cannot grow it is `failed`, and does not change any more. */
struct text {
    char  *bytes;
    size_t length, room;
    bool   failed;
};
/* Make room for this many bytes more, which can then be added without a look at the heap; false without memory. */
bool text_reserve(struct text *text, size_t count);
void text_add(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
void text_add_bytes(struct text *text, const void *bytes, size_t count);
/*
 * A text that programs have chosen, with these bytes of it as a backslash and three octal digits, as Linux writes them
 * where they would end a name or a line.
 */
void text_add_escaped(struct text *text, const char *bytes, const char *escaped);
/* A text without a number in it, whose length the compiler knows: no format is read. */
#define text_add_literal(text, literal) text_add_bytes(text, "" literal, sizeof(literal) - 1)
/* Spaces up to a column of the line that began at `line`. */
void text_pad(struct text *text, size_t line, size_t column);
/* A line: what it begins with, and a set of 64 bits in sixteen digits. */
void text_add_set(struct text *text, const char *name, uint64_t set);
/*
 * A line: the name in 16 columns, or in as many as it has where it ends in a tab; the number in 8, or as many as it
 * needs; and " kB".
 */
void text_add_kilobytes(struct text *text, const char *name, unsigned long kilobytes);

struct proc_node;
struct process;
struct thread;

/* A name in a folder of /proc: a folder, file or link, by which of the members below it has. */
struct proc_entry {
    const char *name;
    uint32_t    mode;                                           /* type and rights                  */
    const struct proc_entry *children;                          /* of a folder, up to one without a name */
    int  (*text)(struct text *text, struct proc_node *node);    /* of a file; 0 or a negative errno */
    const char *fixed;                                          /* of a file whose text never changes */
    struct node *(*target)(struct proc_node *node);             /* of a link: where it leads, a reference */
    int  (*store)(struct proc_node *node, const char *bytes);   /* takes bytes that are written     */
    /* Of a file that is no text: `writing` or else reading at a place. Returns how much, or a negative errno. */
    long (*move)(struct proc_node *node, struct buffer *buffer, uint64_t at, bool writing);
};

/* Numbered folders share one entry for each kind. */
enum proc_kind { PROC_STATIC, PROC_PROCESS, PROC_TASK, PROC_DESCRIPTOR, PROC_DESCRIPTOR_INFO };

struct proc_node {
    struct node              node;
    const struct proc_entry *entry;
    struct proc_node        *above;                             /* a reference; NULL for the root   */
    enum proc_kind           kind;
    int32_t                  process, thread, descriptor;
    uint64_t                 born;                              /* when the process began: numbers come again */
    char                     number[12];                        /* the name, where that is a number  */
};

static inline struct proc_node *proc_of(struct node *node) { return CONTAINER_OF(node, struct proc_node, node); }

/* proc_process.c */
extern const struct proc_entry proc_process_entry, proc_task_entry, proc_descriptor_entry, proc_descriptor_info_entry;
struct process *proc_process(const struct proc_node *node);     /* NULL when it is gone; until the thread sleeps */
/* The lowest number, from `from` on, of a process; of a thread or open descriptor of process `number`. -1: none. */
int32_t proc_next_process(int32_t from);
int32_t proc_next_thread(int32_t number, int32_t from);
int32_t proc_next_descriptor(int32_t number, int32_t from);
/* Of the link of an open descriptor: what the file is open for tells which rights the link shows. */
uint32_t proc_descriptor_mode(const struct proc_node *node);

/*
 * proc_number.c: the inode number of an entry, or of a number, in a folder. Cost: as many steps as the tree of entries
 * has members.
 */
uint32_t proc_entry_number(const struct proc_node *folder, const struct proc_entry *entry);
uint32_t proc_number_number(const struct proc_node *folder, enum proc_kind kind, int32_t number);

/* A tree of such entries as a file system; NULL without memory. root->children is its first level. */
struct file_system *proc_system(const struct proc_entry *root, const char *type, uint32_t magic);

/* proc_detail.c: files of a process, each one text and what is written to it. */
extern const struct proc_entry proc_space_entries[];
int proc_write_adjust(struct text *text, struct proc_node *node);
int proc_store_adjust(struct proc_node *node, const char *bytes);
int proc_write_old_adjust(struct text *text, struct proc_node *node);
int proc_store_old_adjust(struct proc_node *node, const char *bytes);
int proc_write_score(struct text *text, struct proc_node *node);
int proc_write_limits(struct text *text, struct proc_node *node);
int proc_write_no_id(struct text *text, struct proc_node *node);
int proc_write_id_map(struct text *text, struct proc_node *node);
int proc_write_setgroups(struct text *text, struct proc_node *node);
int proc_write_wait(struct text *text, struct proc_node *node);
int proc_write_groups(struct text *text, struct proc_node *node);
struct user_numbers;
/* A line: what it begins with, and the four numbers of a user or group. */
void proc_add_ids(struct text *text, const char *name, const struct user_numbers *ids);
int proc_write_moved(struct text *text, struct proc_node *node);
/* proc_contents.c */
long proc_move_memory(struct proc_node *node, struct buffer *buffer, uint64_t at, bool writing);
long proc_move_pagemap(struct proc_node *node, struct buffer *buffer, uint64_t at, bool writing);

/* proc_memory.c: a process's mappings. */
/* The space of a process that still has one, with a reference; else *err is -ESRCH, or 0 for one that has ended. */
struct shared_space *proc_memory(const struct proc_node *node, int *err);
int proc_maps(struct text *text, struct proc_node *node);
int proc_smaps(struct text *text, struct proc_node *node);
int proc_smaps_rollup(struct text *text, struct proc_node *node);
struct space;
/*
 * A program's resident pages, by kind; pages of the zero frame do not count. Walks its tables, and waits for its map:
 * the caller holds the memory (proc_memory()), and looks its process up again.
 */
struct proc_resident { uint32_t anonymous, file, memory; };
void proc_count_resident(struct space *space, struct proc_resident *out);
/* Copy the present pages of a range of any space, up to the first that is not; returns the bytes copied. */
size_t proc_read_space(const struct space *space, vaddr_t from, char *to, size_t bytes);

/* proc_system.c */
extern const struct proc_entry proc_root_entries[];
/* proc_quire.c */
extern const struct proc_entry proc_quire_entries[];

#endif
