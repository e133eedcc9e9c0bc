/*
 * vdso.c - the functions that the kernel gives a program: found as C libraries find them, right beside the calls, and
 * harmless whatever the program does with them or to them.
 *
 * Sizes and places differ from kernel to kernel, so neither is printed. With the word `set` it sets the clock as well:
 * not for a machine whose clock anybody needs.
 */
#include "answers.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

enum { READINGS = 100000, FEW = 5000, THREADS = 4, SECOND = 1000000000, CALL_EXIT = 1, CALL_SETTIMEOFDAY = 79,
       CALL_MUNMAP = 91, CALL_MREMAP = 163, CALL_CLOCK_GETTIME64 = 403 };

struct time64 { int64_t seconds; int32_t nanoseconds, pad; };

static struct {
    long (*clock_gettime64)(int, struct time64 *);
    long (*clock_gettime)(int, struct timespec *);
    long (*clock_getres)(int, struct timespec *);
    long (*gettimeofday)(struct timeval *, struct timezone *);
    long (*time)(int32_t *);
} vdso;

/* The kernel called by hand: the C library's calls lead through what some parts take away. */
static long call5(long number, long a, long b, long c, long d, long e)
{
    long result;

    __asm__ volatile("int $0x80" : "=a"(result) : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
    return result;
}

static long call(long number, long a, void *b) { return call5(number, a, (long)b, 0, 0, 0); }

/* ---- The image ------------------------------------------------------------------------------------------- */

static char *image(void) { return (char *)getauxval(AT_SYSINFO_EHDR); }

static struct {
    char         *strings;
    ElfW(Sym)    *symbols;
    uint32_t     *hash;
    uint16_t     *versions;
    ElfW(Verdef) *definitions;
} found;

static void read_dynamic(const ElfW(Dyn) *dynamic)
{
    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        char *at = image() + dynamic->d_un.d_ptr;

        if (dynamic->d_tag == DT_STRTAB)
            found.strings = at;
        else if (dynamic->d_tag == DT_SYMTAB)
            found.symbols = (ElfW(Sym) *)at;
        else if (dynamic->d_tag == DT_HASH)
            found.hash = (uint32_t *)at;
        else if (dynamic->d_tag == DT_VERSYM)
            found.versions = (uint16_t *)at;
        else if (dynamic->d_tag == DT_VERDEF)
            found.definitions = (ElfW(Verdef) *)at;
    }
}

static uint32_t hash_of(const char *name)
{
    uint32_t h = 0, g;

    for (; *name != '\0'; name++) {
        h = (h << 4) + (unsigned char)*name;
        g = h & 0xF0000000;
        h = (h ^ g >> 24) & ~g;
    }
    return h;
}

static const char *version_named(unsigned number)
{
    ElfW(Verdef) *definition = found.definitions;

    while (definition->vd_ndx != number && definition->vd_next != 0)
        definition = (ElfW(Verdef) *)((char *)definition + definition->vd_next);
    return found.strings + ((ElfW(Verdaux) *)((char *)definition + definition->vd_aux))->vda_name;
}

static void *find(const char *name)
{
    uint32_t buckets = found.hash[0], *bucket = found.hash + 2, *chain = bucket + buckets;

    for (uint32_t i = bucket[hash_of(name) % buckets]; i != STN_UNDEF; i = chain[i])
        if (strcmp(found.strings + found.symbols[i].st_name, name) == 0) {
            printf("%s is of %s\n", name, version_named(found.versions[i] & 0x7FFF));
            return image() + found.symbols[i].st_value;
        }
    printf("%s is missing\n", name);
    return NULL;
}

static void read_image(void)
{
    const ElfW(Ehdr) *header = (ElfW(Ehdr) *)image();
    const ElfW(Phdr) *parts;

    SAY(header != NULL && memcmp(header->e_ident, ELFMAG, SELFMAG) == 0);
    if (header == NULL)
        exit(1);
    SAY(header->e_type);
    SAY(header->e_machine);
    parts = (ElfW(Phdr) *)(image() + header->e_phoff);
    for (unsigned i = 0; i < header->e_phnum; i++)
        if (parts[i].p_type == PT_DYNAMIC)
            read_dynamic((ElfW(Dyn) *)(image() + parts[i].p_vaddr));
    vdso.clock_gettime64 = find("__vdso_clock_gettime64");
    vdso.clock_gettime   = find("__vdso_clock_gettime");
    vdso.clock_getres    = find("__vdso_clock_getres");
    vdso.gettimeofday    = find("__vdso_gettimeofday");
    vdso.time            = find("__vdso_time");
    SAY(find("__kernel_vsyscall") == (void *)getauxval(AT_SYSINFO));
    SAY(image() + header->e_entry == (char *)getauxval(AT_SYSINFO));
}

/* ---- The mappings -------------------------------------------------------------------------------------------- */

struct mapping { unsigned long start, end; char rights[5], rest[24]; };

static struct mapping mapping_of(const char *name)
{
    struct mapping m = { 0 };
    char  line[256], said[32];
    FILE *maps = fopen("/proc/self/maps", "r");

    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        if (sscanf(line, "%lx-%lx %4s %23[^ ] %*s %*s %31s", &m.start, &m.end, m.rights, m.rest, said) == 5 &&
            strcmp(said, name) == 0)
            break;
        else
            m = (struct mapping){ 0 };
    if (maps != NULL)
        fclose(maps);
    return m;
}

static struct mapping code, data;

static void look_at_maps(void)
{
    code = mapping_of("[vdso]");
    data = mapping_of("[vvar]");
    printf("[vvar] %.2s%c %s, [vdso] %s %s\n", data.rights, data.rights[3], data.rest, code.rights, code.rest);
    SAY((char *)code.start == image() && data.start < data.end && data.end <= code.start);
}

/* ---- The same time ------------------------------------------------------------------------------------------- */

static int64_t by_vdso(int clock)
{
    struct time64 t;

    vdso.clock_gettime64(clock, &t);
    return t.seconds * SECOND + t.nanoseconds;
}

static int64_t by_call(int clock)
{
    struct time64 t;

    call(CALL_CLOCK_GETTIME64, clock, &t);
    return t.seconds * SECOND + t.nanoseconds;
}

/* How often the time stepped back between two readings, one by the call and one not, in turn. */
static long steps_back(int clock, int readings)
{
    int64_t last = 0;
    long    steps = 0;

    for (int i = 0; i < readings; i++) {
        int64_t now = i & 1 ? by_call(clock) : by_vdso(clock);

        steps += now < last;
        last = now;
    }
    return steps;
}

static int64_t shared_last;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

/* One thread's readings are no earlier than the others' before, by whichever way. */
static void *read_beside_others(void *number)
{
    long steps = 0;

    for (int i = 0; i < READINGS / THREADS; i++) {
        int64_t now;

        pthread_mutex_lock(&turn);
        now = (i + (long)number) & 1 ? by_call(CLOCK_MONOTONIC) : by_vdso(CLOCK_MONOTONIC);
        steps += now < shared_last;
        shared_last = now;
        pthread_mutex_unlock(&turn);
    }
    return (void *)steps;
}

static void compare_in_threads(void)
{
    pthread_t threads[THREADS];
    long      steps = 0;

    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, read_beside_others, (void *)i);
    for (int i = 0; i < THREADS; i++) {
        void *its;

        pthread_join(threads[i], &its);
        steps += (long)its;
    }
    SAY(steps);
}

static void compare(void)
{
    struct timespec t;
    struct timeval  v;
    int32_t         seconds;

    SAY(steps_back(CLOCK_MONOTONIC, READINGS));
    SAY(steps_back(CLOCK_REALTIME, FEW));
    SAY(steps_back(CLOCK_BOOTTIME, FEW));
    SAY(steps_back(CLOCK_MONOTONIC_RAW, FEW));
    SAY(by_vdso(CLOCK_MONOTONIC) > by_call(CLOCK_MONOTONIC));
    SAY(vdso.clock_gettime(CLOCK_REALTIME, &t) | (by_call(CLOCK_REALTIME) / SECOND - t.tv_sec > 1));
    SAY(vdso.gettimeofday(&v, NULL) | (by_call(CLOCK_REALTIME) / SECOND - v.tv_sec > 1) | (v.tv_usec >= 1000000));
    SAY(vdso.time(&seconds) != seconds);
    SAY(by_call(CLOCK_REALTIME) / SECOND - seconds > 1);
    SAY(vdso.clock_getres(CLOCK_MONOTONIC, &t));
    SAY(t.tv_sec == 0 && t.tv_nsec == 1);
    compare_in_threads();
}

/* Right after the clock was set, both say so: to the year 2000, beyond 2038, and back. */
static void set_clock(void)
{
    static const long moments[] = { 946684800, 0x7FFFFF00, 1700000000 };

    for (unsigned i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        struct timeval now = { .tv_sec = moments[i] };
        int64_t        told, called;

        SAY(call(CALL_SETTIMEOFDAY, (long)&now, NULL));
        told   = by_vdso(CLOCK_REALTIME);
        called = by_call(CLOCK_REALTIME);
        SAY(told / SECOND - moments[i] < 100 && called >= told && called - told < 100ll * SECOND);
    }
    SAY(steps_back(CLOCK_MONOTONIC, FEW));
}

/* ---- Arguments ------------------------------------------------------------------------------------------------ */

static const char constant[64] = "not to be written";

static void die_of_null(void)      { vdso.clock_gettime64(CLOCK_MONOTONIC, NULL); }
static void die_of_constant(void)  { vdso.clock_gettime64(CLOCK_REALTIME, (struct time64 *)constant); }
static void die_of_32(void)        { vdso.clock_gettime(CLOCK_REALTIME, (struct timespec *)constant); }
static void die_of_kernel(void)    { vdso.gettimeofday((struct timeval *)-64, NULL); }
static void die_of_zone(void)      { vdso.gettimeofday(NULL, (struct timezone *)constant); }
static void die_of_time(void)      { vdso.time((int32_t *)constant); }
static void die_of_getres(void)    { vdso.clock_getres(CLOCK_REALTIME, (struct timespec *)constant); }

static void arguments(void)
{
    struct timezone zone = { 1, 1 };
    struct time64   t;

    SAY(vdso.clock_gettime64(99, &t));
    SAY(vdso.clock_gettime64(32, &t));
    SAY(vdso.clock_gettime64(-1, &t) == call(CALL_CLOCK_GETTIME64, -1, &t));
    SAY(vdso.clock_gettime(1000, NULL));
    SAY(vdso.clock_getres(1000, NULL));
    SAY(vdso.clock_getres(CLOCK_REALTIME, NULL));
    SAY(vdso.clock_gettime64(CLOCK_PROCESS_CPUTIME_ID, &t));
    SAY(vdso.clock_gettime64(CLOCK_THREAD_CPUTIME_ID, NULL));           /* by the call: EFAULT */
    SAY(vdso.gettimeofday(NULL, NULL));
    SAY(vdso.gettimeofday(NULL, &zone));
    SAY(zone.tz_minuteswest | zone.tz_dsttime);
    SAY(vdso.time(NULL) > 0);
    SAY(end_of(die_of_null));
    SAY(end_of(die_of_constant));
    SAY(end_of(die_of_32));
    SAY(end_of(die_of_kernel));
    SAY(end_of(die_of_zone));
    SAY(end_of(die_of_time));
    SAY(end_of(die_of_getres));
}

/* ---- What is done to the mappings ---------------------------------------------------------------------------- */

static void die_of_data(void) { *(volatile char *)data.start = 1; }
static void die_of_code(void) { *(volatile char *)code.start = 1; }

static void protect(void)
{
    int memory = open("/proc/self/mem", O_RDWR);

    SAY(end_of(die_of_data));
    SAY(end_of(die_of_code));
    SAY(mprotect((void *)data.start, data.end - data.start, PROT_READ | PROT_WRITE));
    SAY(end_of(die_of_data));
    SAY(pwrite64(memory, "x", 1, (off64_t)data.start));
    /* Refused, or a copy of its own (Linux): others' image begins with 0x7F as before. */
    if (mprotect((void *)code.start, code.end - code.start, PROT_READ | PROT_WRITE | PROT_EXEC) == 0)
        *(volatile char *)image() = 0;
    SAY(steps_back(CLOCK_MONOTONIC, FEW));
    SAY(mprotect((void *)code.start, code.end - code.start, PROT_READ | PROT_EXEC));
}

/* They neither grow nor are emptied. */
static void grow_and_empty(void)
{
    static const int advice[] = { MADV_DONTNEED, MADV_FREE, MADV_REMOVE, MADV_DODUMP, 20, 21 };     /* COLD, PAGEOUT */
    size_t data_size = data.end - data.start, code_size = code.end - code.start;

    for (unsigned i = 0; i < sizeof advice / sizeof advice[0]; i++)
        SAY(madvise((void *)data.start, data_size, advice[i]));
    SAY(madvise((void *)code.start, code_size, MADV_FREE));
    SAY(call5(CALL_MREMAP, data.start, data_size, data_size + 4096, 0, 0));
    SAY(call5(CALL_MREMAP, data.start, data_size, data_size + 4096, MREMAP_MAYMOVE, 0));
    SAY(call5(CALL_MREMAP, code.start, code_size, code_size + 4096, MREMAP_MAYMOVE, 0));
    SAY(call5(CALL_MREMAP, code.start, code_size, code_size, MREMAP_MAYMOVE | 4, 0));            /* MREMAP_DONTUNMAP */
    SAY(steps_back(CLOCK_MONOTONIC, FEW));
}

/* Both, at the same distance, to another place; and the functions there. */
static void move(void)
{
    size_t data_size = data.end - data.start, code_size = code.end - code.start, distance = code.start - data.start;
    char  *to = mmap(NULL, distance + code_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long (*there)(int, struct time64 *);
    struct time64 t;
    long   moved;

    there = (void *)(to + distance + ((char *)vdso.clock_gettime64 - image()));
    moved = call5(CALL_MREMAP, data.start, data_size, data_size, MREMAP_MAYMOVE | MREMAP_FIXED, (long)to);
    SAY(moved == (long)to);
    moved = call5(CALL_MREMAP, code.start, code_size, code_size, MREMAP_MAYMOVE | MREMAP_FIXED, (long)to + distance);
    call(CALL_EXIT, moved != (long)(to + distance) || there(CLOCK_MONOTONIC, &t) != 0 ||
         t.seconds * SECOND + t.nanoseconds > by_call(CLOCK_MONOTONIC), NULL);
}

static void unmap_data(void)
{
    SAY(munmap((void *)data.start, data.end - data.start));
    by_vdso(CLOCK_MONOTONIC);
}

static void unmap(void)
{
    long err = call5(CALL_MUNMAP, code.start, code.end - code.start, 0, 0, 0);

    call(CALL_EXIT, err != 0 || by_call(CLOCK_MONOTONIC) <= 0, NULL);
}

static void call_unmapped(void)
{
    call5(CALL_MUNMAP, code.start, code.end - code.start, 0, 0, 0);
    by_vdso(CLOCK_MONOTONIC);
}

static void change(void)
{
    SAY(end_of(protect));
    SAY(*image());
    SAY(end_of(grow_and_empty));
    SAY(end_of(move));
    SAY(end_of(unmap_data));
    SAY(end_of(unmap));
    SAY(end_of(call_unmapped));
    SAY(steps_back(CLOCK_MONOTONIC, FEW));
}

int main(int count, char **words)
{
    read_image();
    look_at_maps();
    if (count > 1 && strcmp(words[1], "again") == 0)
        return 0;
    compare();
    arguments();
    change();
    if (count > 1 && strcmp(words[1], "set") == 0)
        set_clock();
    fflush(stdout);
    execl("/proc/self/exe", words[0], "again", NULL);
    return 1;
}
