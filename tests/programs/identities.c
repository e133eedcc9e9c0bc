/*
 * identities.c - answers of Linux about identities: numbers of 16 bits, credentials of each thread, whose files they
 * are, and what each capability allows a root that has given up another.
 *
 * Each line is a question and its answer, a result and an errno. A part runs in a process of its own. Recorded as a
 * first process with all capabilities: a container may lack some.
 */
#include "answers.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>

static void show(const char *whose, const char *path)
{
    char  line[256];
    FILE *status = fopen(path, "r");

    while (status != NULL && fgets(line, sizeof line, status))
        if (strncmp(line, "Uid:", 4) == 0 || strncmp(line, "Gid:", 4) == 0 || strncmp(line, "Groups:", 7) == 0)
            printf("%s %s", whose, line);
    if (status != NULL)
        fclose(status);
    fflush(stdout);
}

static void show_self(void) { show("self", "/proc/thread-self/status"); }

static long effective(int capability)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct   data[2];

    syscall(SYS_capget, &header, data);
    return data[capability / 32].effective >> capability % 32 & 1;
}

static void give_up(int capability)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct   data[2];

    syscall(SYS_capget, &header, data);
    data[capability / 32].effective &= ~(1u << capability % 32);
    if (syscall(SYS_capset, &header, data) != 0)
        say("capset", -1);
}

/* ---- 16 bits --------------------------------------------------------------------------------------- */

struct old_stat {
    uint32_t device, inode;
    uint16_t mode, links, uid, gid;
    uint32_t rest[12];
};

enum { OLD_LCHOWN = 16, OLD_SETUID = 23, OLD_GETUID = 24, OLD_SETGID = 46, OLD_GETGID = 47, OLD_GETEUID = 49,
       OLD_GETEGID = 50, OLD_SETREUID = 70, OLD_SETREGID = 71, OLD_GETGROUPS = 80, OLD_FCHOWN = 95, OLD_STAT = 106,
       OLD_SETFSUID = 138, OLD_SETFSGID = 139, OLD_SETRESUID = 164, OLD_GETRESUID = 165, OLD_SETRESGID = 170,
       OLD_GETRESGID = 171, OLD_CHOWN = 182 };

static void sixteen_bits(void)
{
    struct old_stat st = { 0 };
    uint16_t        three[3] = { 0 }, list[2] = { 0 };
    gid_t           large = 70000;
    int             file = open("/tmp/id", O_CREAT | O_RDWR, 0644);

    SAY(fchown(file, 70000, 80000));
    SAY(syscall(OLD_STAT, "/tmp/id", &st));
    SAY(st.uid);
    SAY(st.gid);
    SAY(syscall(OLD_CHOWN, "/tmp/id", 5, 0xFFFF));
    SAY(syscall(OLD_STAT, "/tmp/id", &st));
    SAY(st.uid);
    SAY(st.gid);
    SAY(syscall(OLD_FCHOWN, file, 0xFFFF, 0x10007));
    SAY(syscall(OLD_LCHOWN, "/tmp/id", 0xFFFF, 0xFFFF));
    SAY(syscall(OLD_STAT, "/tmp/id", &st));
    SAY(st.uid);
    SAY(st.gid);
    SAY(setgroups(1, &large));
    SAY(syscall(OLD_GETGROUPS, 2, list));
    SAY(list[0]);
    SAY(syscall(SYS_setresgid32, 70000, 7, 70000));
    SAY(syscall(OLD_GETGID));
    SAY(syscall(OLD_GETEGID));
    SAY(syscall(OLD_GETRESGID, three, three + 1, three + 2));
    printf("%u %u %u\n", three[0], three[1], three[2]);
    SAY(syscall(OLD_SETREGID, 0xFFFF, 0xFFFF));
    SAY(syscall(OLD_SETREGID, 9, 0xFFFF));
    SAY(syscall(OLD_SETRESGID, 0xFFFF, 11, 0xFFFF));
    SAY(syscall(OLD_SETFSGID, 12));
    show_self();
    SAY(syscall(OLD_SETGID, 0xFFFF));
    SAY(syscall(OLD_SETGID, 14));
    SAY(syscall(OLD_SETUID, 0xFFFF));
    SAY(syscall(SYS_setresuid32, 70000, -1, 70000));
    SAY(syscall(OLD_GETUID));
    SAY(syscall(OLD_GETEUID));
    SAY(syscall(OLD_GETRESUID, three, three + 1, (void *)16));
    SAY(syscall(OLD_GETRESUID, three, three + 1, three + 2));
    printf("%u %u %u\n", three[0], three[1], three[2]);
    SAY(syscall(OLD_SETFSUID, 13));
    show_self();
    SAY(syscall(OLD_SETREUID, 1000, 0xFFFF));
    SAY(syscall(OLD_SETRESUID, 0xFFFF, 1000, 0xFFFF));
    show_self();
    SAY(syscall(OLD_SETRESUID, 2, 0xFFFF, 0xFFFF));
    SAY(syscall(OLD_SETUID, 2));
}

/* ---- Threads ------------------------------------------------------------------------------------------- */

static volatile int step;
static void         reach(int wanted) { while (step < wanted) sched_yield(); }

static void *other(void *tid)
{
    gid_t group = 33;

    *(volatile int *)tid = (int)syscall(SYS_gettid);
    SAY(syscall(SYS_setgroups32, 1, &group));
    SAY(syscall(SYS_setresgid32, 5, 6, 7));
    SAY(syscall(SYS_setresuid32, 1000, 1001, 1002));
    show("the other", "/proc/thread-self/status");
    SAY(open("/tmp/mine", O_RDONLY));
    SAY(effective(CAP_KILL));
    step = 1;
    reach(2);
    SAY(syscall(SYS_setresuid32, 0, 0, 0));
    return NULL;
}

static void threads(void)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct   data[2];
    volatile int tid = 0;
    char         path[64];
    pthread_t    thread;
    int          file = open("/tmp/mine", O_CREAT | O_RDWR, 0600);

    pthread_create(&thread, NULL, other, (void *)&tid);
    reach(1);
    show_self();
    snprintf(path, sizeof path, "/proc/self/task/%d/status", tid);
    show("there", path);
    SAY(open("/tmp/mine", O_RDONLY) >= 0);
    SAY(effective(CAP_KILL));
    header.pid = tid;
    SAY(syscall(SYS_capget, &header, data));
    SAY(data[0].effective);
    SAY(syscall(SYS_capset, &header, data));
    step = 2;
    pthread_join(thread, NULL);
    SAY(setuid(5));
    close(file);
}

/* A program that another thread starts has that thread's credentials. */
static void *execute(void *unused)
{
    char *words[] = { "/proc/self/exe", "show", NULL };

    syscall(SYS_setresgid32, 50, 51, 52);
    syscall(SYS_setresuid32, 40, 41, 42);
    execv(words[0], words);
    return NULL;
}

static void executes(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, execute, NULL);
    pthread_join(thread, NULL);
}

/* ---- Whose files -------------------------------------------------------------------------------------------- */

static void files(void)
{
    struct stat st;
    int         file = open("/tmp/root", O_CREAT | O_RDWR, 0600);

    SAY(syscall(SYS_setfsuid32, -1));
    SAY(syscall(SYS_setfsuid32, 1000));
    SAY(syscall(SYS_setfsuid32, -1));
    SAY(syscall(SYS_setfsgid32, 1001));
    SAY(syscall(SYS_setfsgid32, -1));
    show_self();
    SAY(effective(CAP_DAC_OVERRIDE));
    SAY(effective(CAP_CHOWN));
    SAY(effective(CAP_KILL));
    SAY(open("/tmp/root", O_RDONLY));
    SAY(access("/tmp/root", R_OK));
    SAY(open("/tmp/his", O_CREAT | O_RDWR, 0644) >= 0);
    SAY(stat("/tmp/his", &st));
    SAY(st.st_uid);
    SAY(st.st_gid);
    SAY(chmod("/tmp/root", 0644));
    SAY(syscall(SYS_setfsuid32, 0));
    SAY(effective(CAP_DAC_OVERRIDE));
    SAY(open("/tmp/root", O_RDONLY) >= 0);
    SAY(setresuid(1000, 0, 0));
    SAY(access("/tmp/root", R_OK));
    SAY(faccessat(AT_FDCWD, "/tmp/root", R_OK, AT_EACCESS));
    SAY(setresuid(0, 1000, 0));
    SAY(access("/tmp/root", R_OK));
    SAY(setresuid(1000, 1000, 1001));
    SAY(syscall(SYS_setfsuid32, 5));
    SAY(syscall(SYS_setfsuid32, 1001));
    SAY(syscall(SYS_setfsuid32, -1));
    close(file);
}

/* ---- One capability less --------------------------------------------------------------------------------------- */

static void make_files(void)
{
    int file = open("/tmp/his", O_CREAT | O_RDWR, 0600);

    fchown(file, 1000, 1000);
    close(file);
    mkdir("/tmp/folder", 0700);
    chown("/tmp/folder", 1000, 1000);
    mkdir("/tmp/sticky", 01777);
    chmod("/tmp/sticky", 01777);
    chown("/tmp/sticky", 1000, 1000);
    close(open("/tmp/sticky/his", O_CREAT | O_RDWR, 0600));
    chown("/tmp/sticky/his", 1000, 1000);
}

static void override(void)
{
    SAY(open("/tmp/his", O_RDWR) >= 0);
    give_up(CAP_DAC_OVERRIDE);
    SAY(open("/tmp/his", O_RDWR));
    SAY(open("/tmp/his", O_RDONLY) >= 0);
    SAY(access("/tmp/folder/x", F_OK));
    SAY(open("/tmp/folder/x", O_CREAT | O_RDWR, 0600));
    give_up(CAP_DAC_READ_SEARCH);
    SAY(open("/tmp/his", O_RDONLY));
    SAY(open("/tmp/folder/x", O_RDONLY));
}

static void owner(void)
{
    struct stat st;

    SAY(chmod("/tmp/his", 02755));
    SAY(stat("/tmp/his", &st));
    SAY(st.st_mode & 07777);
    give_up(CAP_FSETID);
    SAY(chmod("/tmp/his", 02755));
    SAY(stat("/tmp/his", &st));
    SAY(st.st_mode & 07777);
    give_up(CAP_FOWNER);
    SAY(chmod("/tmp/his", 0600));
    SAY(unlink("/tmp/sticky/his"));
    SAY(chown("/tmp/his", 5, 5));
    give_up(CAP_CHOWN);
    SAY(chown("/tmp/his", 6, 6));
}

static void rest(void)
{
    struct rlimit limit = { 100, 100 }, more = { 100, 200 };

    SAY(mknod("/tmp/null", S_IFCHR | 0666, makedev(1, 3)));
    give_up(CAP_MKNOD);
    SAY(mknod("/tmp/null2", S_IFCHR | 0666, makedev(1, 3)));
    give_up(CAP_SYS_CHROOT);
    SAY(chroot("/tmp"));
    give_up(CAP_SYS_ADMIN);
    SAY(mount("x", "/tmp", "tmpfs", 0, NULL));
    SAY(umount("/proc"));
    SAY(setrlimit(RLIMIT_NOFILE, &limit));
    SAY(setrlimit(RLIMIT_NOFILE, &more));
    give_up(CAP_SYS_RESOURCE);
    SAY(setrlimit(RLIMIT_NOFILE, &limit));
    SAY(setrlimit(RLIMIT_NOFILE, &more));
    SAY(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &(uint64_t[]){ 100, 101 }, NULL));
    limit.rlim_cur = limit.rlim_max = 4096;
    SAY(setrlimit(RLIMIT_MEMLOCK, &limit));
    SAY(mlockall(MCL_CURRENT));
    SAY(munlockall());
    give_up(CAP_IPC_LOCK);
    SAY(mlockall(MCL_CURRENT));
    SAY(setpriority(PRIO_PROCESS, 0, -1));
    give_up(CAP_SYS_NICE);
    SAY(setpriority(PRIO_PROCESS, 0, -2));
    give_up(CAP_SETGID);
    SAY(setgid(5));
    SAY(setgroups(0, NULL));
    give_up(CAP_SETUID);
    SAY(setuid(5));
    SAY(setuid(0));
}

/* ---- What comparing with Linux found --------------------------------------------------------------------- */

static long owner_of(const char *path)
{
    struct stat st = { 0 };

    return lstat(path, &st) != 0 ? -1 : (long)(st.st_uid * 1000 + st.st_gid);
}

/* Links and sockets are whose they should be; a process whose files are another's is not dumpable. */
static void owners(void)
{
    struct stat st;
    int         ends[2];

    SAY(prctl(PR_SET_PDEATHSIG, SIGUSR1));
    SAY(syscall(SYS_setfsuid32, 7));
    SAY(syscall(SYS_setfsgid32, 8));
    SAY(prctl(PR_GET_DUMPABLE));
    SAY(symlink("/nowhere", "/tmp/link"));
    SAY(owner_of("/tmp/link"));
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    SAY(fstat(ends[0], &st));
    SAY(st.st_uid * 1000 + st.st_gid);
    SAY(setresgid(-1, -1, -1));
    show_self();
    SAY(setresgid(-1, 0, -1));
    show_self();
    SAY(fcntl(ends[0], F_GETOWN));
    SAY(fcntl(ends[0], 11));
}

/* The order of checks, and the rights to files of other users. */
static void orders(void)
{
    char name[300];

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    mkdir("/tmp/own", 0755);
    close(open("/tmp/own/file", O_CREAT | O_RDWR, 0644));
    mkdir("/tmp/own/folder", 0755);
    chmod("/tmp/sticky/his", 0644);
    SAY(setresuid(5, 5, 5));
    SAY(rmdir("/tmp/sticky/his"));
    SAY(rmdir("/tmp/own/file"));
    SAY(unlink("/tmp/own/folder"));
    SAY(unlink("/tmp/own/file/"));
    SAY(rename("/tmp/own/file", "/tmp/own/../own/file"));
    SAY(rename("/tmp/own", "/tmp/own/folder"));
    SAY(rename("/tmp/own/file/x", ""));
    SAY(rename("/tmp/own/file/x", name));
    SAY(link("/tmp/own/missing", name));
    SAY(truncate("/tmp/own", 0));
    SAY(truncate("/dev/null", 0));
    SAY(truncate("/tmp/own/file", 0));
    SAY(link("/tmp/own/file", "/tmp/sticky/linked"));
    SAY(link("/tmp/sticky/his", "/tmp/sticky/linked"));
}

static void other_orders(void)
{
    struct timespec    times[2] = { { 0, UTIME_NOW }, { 0, UTIME_OMIT } };
    struct sockaddr_un first = { AF_UNIX, "/tmp/socket" }, hidden = { AF_UNIX, "" }, nowhere = { AF_UNIX, "/tmp/no/x" };
    struct iovec       nothing = { NULL, 0 };
    char               name[300], byte;
    int                ends[2], pair[2], s = socket(AF_UNIX, SOCK_STREAM, 0), file;

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    hidden.sun_path[1] = 'h';
    chdir("/tmp");
    file = open("/tmp/open", O_CREAT | O_RDWR, 0666);
    SAY(open("", O_TMPFILE | O_CREAT | O_RDWR, 0600));
    SAY(open("", O_TMPFILE, 0600));
    SAY(open("/tmp", O_TMPFILE | O_RDONLY, 0600));
    SAY(mknod("", S_IFLNK | 0600, 0));
    SAY(mknod("", S_IFDIR | 0600, 0));
    SAY(rename(name, "."));
    SAY(rename(name, "/tmp/open/x"));
    SAY(rename("/tmp/missing", name));
    SAY(rename("/tmp/open", name));
    SAY(bind(s, (void *)&first, sizeof first));
    SAY(bind(s, (void *)&first, sizeof first));
    SAY(bind(s, (void *)&nowhere, sizeof nowhere));
    SAY(bind(s, (void *)&hidden, 4));
    SAY(bind(s, (void *)&hidden, 2));
    strcpy(nowhere.sun_path, "/tmp/other");
    SAY(bind(s, (void *)&nowhere, sizeof nowhere));
    SAY(access("/tmp/other", F_OK));
    SAY(listen(open("/tmp", O_PATH), 1));
    SAY(pipe(ends));
    SAY(fallocate(ends[1], 8, 0, 1));
    SAY(fallocate(file, 8 | 1, 0, 1));
    SAY(fallocate(file, 32 | 1, 0, 1));
    SAY(fallocate(file, 64 | 2, 0, 1));
    SAY(fallocate(file, 8, 0, 1));
    SAY(fallocate(file, 128, 0, 1));
    SAY(readv(epoll_create1(0), &nothing, 1));
    SAY(readv(ends[1], &nothing, 1));
    SAY(writev(ends[1], &nothing, 1));
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    SAY(recv(pair[0], &byte, 0, MSG_DONTWAIT));
    SAY(recv(pair[0], &byte, 0, MSG_DONTWAIT | MSG_WAITALL));
    SAY(send(pair[1], "x", 1, 0));
    SAY(recv(pair[0], &byte, 0, MSG_DONTWAIT));
    SAY(send(pair[1], "yz", 2, 0));
    SAY(recv(pair[0], name, 3, MSG_PEEK));
    SAY(sendto(pair[1], "x", 1, 0, (void *)&hidden, 1));
    SAY(sendto(pair[1], "x", 1, 0, (void *)&hidden, 0));
    SAY(sendto(s, "x", 1, MSG_NOSIGNAL, (void *)name, 50));
    SAY(posix_fadvise(ends[0], 0, 0, 0));
    SAY(posix_fadvise(file, 0, 0, 9));
    SAY(posix_fadvise(file, 0, 0, 3));
    SAY(syscall(SYS_readahead, ends[0], 0, 0, 1));
    SAY(syscall(SYS_readahead, file, 0, 0, 1));
    mkdir("/tmp/open-to-all", 01777);
    chmod("/tmp/open-to-all", 01777);
    symlink("/tmp/open", "/tmp/open-to-all/of-root");
    SAY(access("/tmp/open-to-all/of-root", F_OK));
    SAY(setresuid(5, 5, 0));
    symlink("/tmp/open", "/tmp/open-to-all/of-5");
    SAY(access("/tmp/open-to-all/of-5", F_OK));
    SAY(setresuid(0, 0, 0));
    SAY(access("/tmp/open-to-all/of-5", F_OK));
    SAY(access("/tmp/open-to-all/of-5/", F_OK));
    SAY(lchown("/tmp/open-to-all/of-5", 6, 6));
    SAY(setresuid(5, 5, 5));
    SAY(access("/tmp/open-to-all/of-root", F_OK));
    SAY(access("/tmp/open-to-all/of-5", F_OK));
    SAY(utimensat(AT_FDCWD, "/tmp/open", times, 0));
    times[1].tv_nsec = UTIME_NOW;
    SAY(utimensat(AT_FDCWD, "/tmp/open", times, 0));
}

static long exchange(const char *one, const char *other)
{
    return syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
}

/* Whose ".." changes must be one that the caller may write to: both folders of an exchange, but not in one folder. */
static void exchanges(void)
{
    mkdir("/tmp/one", 0777);
    mkdir("/tmp/one/file", 0777);
    mkdir("/tmp/two", 0777);
    mkdir("/tmp/two/of-root", 0755);
    close(open("/tmp/two/file", O_CREAT | O_RDWR, 0600));
    SAY(setresuid(5, 5, 5));
    mkdir("/tmp/one/own", 0755);
    SAY(exchange("/tmp/one/own", "/tmp/two/of-root"));
    SAY(exchange("/tmp/two/of-root", "/tmp/one/own"));
    SAY(rename("/tmp/two/of-root", "/tmp/one/away"));
    SAY(exchange("/tmp/two/file", "/tmp/two/of-root"));
    SAY(exchange("/tmp/two/of-root", "/tmp/one/own"));
    SAY(exchange("/tmp/two/file", "/tmp/one/own"));
}

int main(int count, char **words)
{
    if (count > 1) {
        show_self();
        return 0;
    }
    umask(0);
    part("16 bits", sixteen_bits);
    part("threads", threads);
    part("executes", executes);
    part("files", files);
    make_files();
    part("override", override);
    part("owner", owner);
    part("rest", rest);
    part("owners", owners);
    make_files();
    part("orders", orders);
    part("other orders", other_orders);
    part("exchanges", exchanges);
    return 0;
}
