/*
 * credentials.h - users, groups, and capabilities: what root may do, in pieces that can be given up.
 *
 * Each thread has its own, as on Linux; C libraries change those of all threads together. A process has those of its
 * first thread, the one with its number, also once that has ended.
 *
 * Owning   counted: threads and processes share them, and what is shared is never changed. A change is made on a copy,
 *          which credentials_take() puts in their place.
 * Locking  counts are atomic; a thread's pointer is changed by the thread itself, and so is its process's if it is the
 *          first one. Others look at them without waiting in between.
 * Cost     a look for a group: the logarithm of how many there are; setting them: sorting. fork and clone share.
 * Source   Linux man-pages, credentials(7), capabilities(7), capget(2), setresuid(2), setfsuid(2), getgroups(2).
 */
#ifndef QUIRE_PROCESS_CREDENTIALS_H
#define QUIRE_PROCESS_CREDENTIALS_H

#include "base/types.h"
#include "process/groups.h"

enum {
    CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_SETGID, CAP_SETUID,
    CAP_SETPCAP, CAP_LINUX_IMMUTABLE, CAP_IPC_LOCK = 14, CAP_SYS_CHROOT = 18, CAP_SYS_PTRACE, CAP_SYS_ADMIN = 21,
    CAP_SYS_NICE = 23, CAP_SYS_RESOURCE, CAP_SYS_TIME, CAP_MKNOD = 27, CAP_MAC_OVERRIDE = 32,
    CAP_SYSLOG = 34, CAP_WAKE_ALARM,
    CAPABILITIES = 41,
};
#define CAPABILITIES_ALL ((1ull << CAPABILITIES) - 1)

enum {                                  /* prctl(PR_SET_SECUREBITS); each has a lock, one bit higher */
    SECURE_NO_ROOT = 1, SECURE_NO_SETUID_FIXUP = 4, SECURE_KEEP_CAPS = 16, SECURE_KEEP_CAPS_LOCKED = 32,
    SECURE_NO_CAP_AMBIENT_RAISE = 64, SECURE_BITS = 0xFF, SECURE_LOCKS = 0xAA,
};

/* Sets of one bit for each capability. */
struct capabilities {
    uint64_t permitted, effective, inheritable, bounding, ambient;
    uint32_t secure_bits;
};

/* The numbers of a user, or of a group. `files` is the owner of new files, and decides about rights to files. */
struct user_numbers { uint32_t real, effective, saved, files; };

struct user_account;

/* U3: credentials that a thread acts by have references, and their account is that of the real user. */
struct credentials {
    uint32_t             references;
    struct user_numbers  user, group;
    struct groups       *groups;        /* supplementary ones; NULL: none                 */
    struct user_account *account;       /* of the real user (user_account.h), a reference */
    struct capabilities  capabilities;
};

struct process;

const struct credentials *credentials_acting(void);             /* the current thread's; NULL before the first */
bool has_capability(unsigned capability);                       /* effective, of the current thread            */

struct credentials *credentials_of_root(void);                  /* with all capabilities; NULL without memory  */
struct credentials *credentials_hold(struct credentials *credentials);  /* returns them                        */
void                credentials_release(struct credentials *credentials);       /* NULL: nothing happens       */
struct credentials *credentials_copy(void);                     /* the current thread's, to be changed; NULL without */
void                credentials_take(struct credentials *changed);      /* the current thread's from now on, the
                                                                           caller's reference with them */

int credentials_after_exec(struct credentials **out) MUST_CHECK;        /* a copy as a new program has them; -ENOMEM */

/*
 * Set the first three numbers of a user or group; UINT32_MAX: that one stays. `files` follows the effective number.
 * Return 0, -EPERM, or -ENOMEM; on failure nothing has changed. The next two are setfsuid(2) and
 * setfsgid(2), and return the number before.
 */
int      credentials_set_user(struct user_numbers wanted) MUST_CHECK;
int      credentials_set_group(struct user_numbers wanted) MUST_CHECK;
uint32_t credentials_set_files_user(uint32_t user);
uint32_t credentials_set_files_group(uint32_t group);

/* access(2): act as the real user and group until credentials_act_again(*before). Returns 0 or -ENOMEM. */
int  credentials_act_as_real(struct credentials **before) MUST_CHECK;
void credentials_act_again(struct credentials *before);

/*
 * Set the supplementary groups (groups.h): sorts them, and takes the caller's reference, unless it fails. 0 or -ENOMEM.
 */
int  credentials_set_groups(struct groups *groups) MUST_CHECK;

/* capset(2)'s rules. 0, -EPERM or -ENOMEM. */
int  credentials_set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable) MUST_CHECK;

#endif
