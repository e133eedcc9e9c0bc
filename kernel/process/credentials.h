/*
 * credentials.h - users, supplementary groups, and capabilities: what root may do, in pieces that can be given up.
 *
 * Sets are one bit for each capability. All belong to the process, where Linux has them for each thread; C libraries
 * change those of all threads together.
 *
 * Locking  only the process's own threads change them.
 * Cost     a look for a group: the logarithm of how many a process has; setting them: sorting. fork shares them.
 * Source   Linux man-pages, capabilities(7), capget(2), setresuid(2), getgroups(2).
 */
#ifndef QUIRE_PROCESS_CREDENTIALS_H
#define QUIRE_PROCESS_CREDENTIALS_H

#include "base/types.h"
#include "process/groups.h"

enum {
    CAP_CHOWN = 0, CAP_KILL = 5, CAP_SETGID = 6, CAP_SETUID = 7, CAP_SETPCAP = 8, CAP_SYS_ADMIN = 21, CAP_SYS_NICE = 23,
    CAP_SYS_RESOURCE = 24, CAPABILITIES = 41,
};
#define CAPABILITIES_ALL ((1ull << CAPABILITIES) - 1)

enum {                                  /* prctl(PR_SET_SECUREBITS); each has a lock, one bit higher */
    SECURE_NO_ROOT = 1, SECURE_NO_SETUID_FIXUP = 4, SECURE_KEEP_CAPS = 16, SECURE_KEEP_CAPS_LOCKED = 32,
    SECURE_NO_CAP_AMBIENT_RAISE = 64, SECURE_BITS = 0xFF, SECURE_LOCKS = 0xAA,
};

struct capabilities {
    uint64_t permitted, effective, inheritable, bounding, ambient;
    uint32_t secure_bits;
};

struct process;

bool has_capability(const struct process *process, unsigned capability);

void credentials_start(struct process *process);                /* root, with all of them            */
void credentials_after_exec(struct process *process);           /* what a new program has of them    */

/*
 * The three numbers of a user, UINT32_MAX for those that stay. 0, or -EPERM: then nothing has changed; -EAGAIN: no
 * memory.
 */
struct user_numbers { uint32_t real, effective, saved; };
int  credentials_set_user(struct process *process, struct user_numbers numbers) MUST_CHECK;
int  credentials_set_group(struct process *process, struct user_numbers numbers) MUST_CHECK;

/* Supplementary groups (groups.h): sorts them, and takes the caller's reference. */
void credentials_set_groups(struct process *process, struct groups *groups);

/* capset(2)'s rules. 0 or -EPERM. */
int  credentials_set_capabilities(struct process *process, uint64_t effective, uint64_t permitted,
                                  uint64_t inheritable) MUST_CHECK;

#endif
