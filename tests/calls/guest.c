/* guest.c - a program without a C library: the kernel called by hand, text, numbers by chance. */
#include "guest.h"

/* ---- The kernel ------------------------------------------------------------------------------- */

/*
 * Arguments in order: %ebx, %ecx, %edx, %esi, %edi, %ebp. kernel_call_twice() has only five, and keeps the child's
 * stack in %ebp: the one register that both sides still have, whatever stack the child was given.
 */
__asm__(".text\n"
        ".globl kernel_call\n"
        "kernel_call:\n"
        "    push %ebx; push %esi; push %edi; push %ebp\n"
        "    mov 20(%esp), %eax\n"
        "    mov 4(%eax), %ebx; mov 8(%eax), %ecx; mov 12(%eax), %edx; mov 16(%eax), %esi; mov 20(%eax), %edi\n"
        "    mov 24(%eax), %ebp; mov (%eax), %eax\n"
        "    int $0x80\n"
        "    pop %ebp; pop %edi; pop %esi; pop %ebx\n"
        "    ret\n"
        ".globl kernel_call_twice\n"
        "kernel_call_twice:\n"
        "    push %ebx; push %esi; push %edi; push %ebp\n"
        "    mov 20(%esp), %eax; mov 24(%esp), %ebp\n"
        "    mov 4(%eax), %ebx; mov 8(%eax), %ecx; mov 12(%eax), %edx; mov 16(%eax), %esi; mov 20(%eax), %edi\n"
        "    mov (%eax), %eax\n"
        "    int $0x80\n"
        "    test %eax, %eax; jz 1f\n"
        "    pop %ebp; pop %edi; pop %esi; pop %ebx\n"
        "    ret\n"
        "1:  mov %ebp, %esp; xor %ebp, %ebp\n"
        "    call child_main\n"
        ".globl kernel_return\n"
        "kernel_return:\n"
        "    mov 4(%esp), %eax; mov 8(%esp), %esp\n"
        "    int $0x80\n"
        "    ud2\n"
        ".globl _start\n"
        "_start:\n"
        "    mov %esp, %eax; xor %ebp, %ebp; and $-16, %esp\n"
        "    push %eax; push %eax; push %eax; push %eax\n"
        "    call start\n");

int program(int argc, char **argv);

__attribute__((used, noreturn)) static void start(long *stack)
{
    leave(program((int)stack[0], (char **)(stack + 1)));
}

void leave(int status)
{
    for (;;)
        KERNEL(CALL_EXIT_GROUP, status);
}

long split(void) { return KERNEL(CALL_FORK, 0); }

/* ---- Text and numbers ---------------------------------------------------------------------------- */

void *memset(void *to, int byte, size_t length)
{
    void *at = to;

    __asm__ volatile("rep stosb" : "+D"(at), "+c"(length) : "a"(byte) : "memory");
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
    void *at = to;

    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(length) :: "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((const uint8_t *)a)[i] != ((const uint8_t *)b)[i])
            return ((const uint8_t *)a)[i] - ((const uint8_t *)b)[i];
    return 0;
}

size_t strlen(const char *text)
{
    size_t length = 0;

    while (text[length] != '\0')
        length++;
    return length;
}

bool text_same(const char *a, const char *b) { return strlen(a) == strlen(b) && memcmp(a, b, strlen(a)) == 0; }

uint32_t divide(uint64_t *number, uint32_t by)
{
    uint32_t high = (uint32_t)(*number >> 32), low = (uint32_t)*number, rest = high % by;

    __asm__("divl %4" : "=a"(low), "=d"(rest) : "0"(low), "1"(rest), "r"(by));
    *number = (uint64_t)(high / by) << 32 | low;
    return rest;
}

static int digit_of(char letter)
{
    return letter >= '0' && letter <= '9' ? letter - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

uint64_t number_of(const char *text)
{
    uint64_t number = 0;
    bool     hex    = text[0] == '0' && text[1] == 'x';

    for (text += hex ? 2 : 0; digit_of(*text) >= 0; text++)
        number = number * (hex ? 16 : 10) + (unsigned)digit_of(*text);
    return number;
}

int say_to = 1;

static void add(struct line *line, char letter)
{
    if (line->length < LINE)
        line->text[line->length++] = letter;
}

static void add_text(struct line *line, const char *text)
{
    while (*text != '\0')
        add(line, *text++);
}

static void add_number(struct line *line, uint64_t number, uint32_t base)
{
    char digits[24], *at = digits + sizeof digits - 1;

    *at = '\0';
    do
        *--at = "0123456789abcdef"[divide(&number, base)];
    while (number != 0);
    add_text(line, at);
}

static void add_signed(struct line *line, int number)
{
    if (number < 0)
        add(line, '-');
    add_number(line, number < 0 ? -(uint64_t)(int64_t)number : (uint64_t)number, 10);
}

void line_put_values(struct line *line, const char *format, va_list values)
{
    for (; *format != '\0'; format++) {
        if (*format != '%') {
            add(line, *format);
            continue;
        }
        switch (*++format) {
        case 's': add_text(line, va_arg(values, const char *));          break;
        case 'c': add(line, (char)va_arg(values, int));                  break;
        case 'd': add_signed(line, va_arg(values, int));                 break;
        case 'u': add_number(line, va_arg(values, unsigned), 10);        break;
        case 'x': add_number(line, va_arg(values, unsigned), 16);        break;
        case 'l': add_number(line, va_arg(values, uint64_t), 10); format += 2; break;
        }
    }
}

void line_put(struct line *line, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    line_put_values(line, format, values);
    va_end(values);
}

void say(const char *format, ...)
{
    struct line line;
    va_list     values;

    line.length = 0;
    va_start(values, format);
    line_put_values(&line, format, values);
    va_end(values);
    KERNEL(CALL_WRITE, say_to, (long)line.text, (long)line.length);
}

/* ---- Chance ------------------------------------------------------------------------------------------ */

/* Source: splitmix64, Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014). */
uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t z = a + (b + 1) * 0x9E3779B97F4A7C15ull;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

uint32_t chance_word(struct chance *chance)
{
    chance->state += 0x9E3779B97F4A7C15ull;
    return (uint32_t)(mix(chance->state, 0) >> 16);
}

uint32_t chance_below(struct chance *chance, uint32_t limit)
{
    return (uint32_t)((uint64_t)chance_word(chance) * limit >> 32);
}

/* ---- Time and files ------------------------------------------------------------------------------------ */

uint32_t milliseconds(void)
{
    int32_t time[2] = { 0, 0 };

    KERNEL(CALL_CLOCK_GETTIME, CLOCK_MONOTONIC, (long)time);
    return (uint32_t)time[0] * 1000 + (uint32_t)time[1] / 1000000;
}

void sleep_ms(uint32_t duration)
{
    int32_t time[2] = { (int32_t)(duration / 1000), (int32_t)(duration % 1000 * 1000000) };

    KERNEL(CALL_NANOSLEEP, (long)time, 0);
}

long file_text(const char *path, char *text, size_t size)
{
    long file = KERNEL(CALL_OPEN, (long)path, O_RDONLY), length = 0, part;

    if (file < 0)
        return file;
    while ((part = KERNEL(CALL_READ, file, (long)text + length, (long)size - 1 - length)) > 0)
        length += part;
    KERNEL(CALL_CLOSE, file);
    text[length] = '\0';
    return part < 0 ? part : length;
}

/* A file system in memory has room for as many pages as there are frames, and for those that are out. */
long pages_out(const char *frames)
{
    enum { WORDS = 21, BLOCKS = 2 };            /* struct statfs64 */
    uint32_t answer[WORDS] = { 0 };

    if (KERNEL(CALL_STATFS64, (long)"/", sizeof answer, (long)answer) != 0)
        return -1;
    return (long)answer[BLOCKS] - number_behind(frames, "all ");
}

long number_behind(const char *text, const char *word)
{
    for (const char *line = text; *line != '\0'; line++)
        if ((line == text || line[-1] == '\n') && memcmp(line, word, strlen(word)) == 0) {
            line += strlen(word);
            while (*line == ' ')
                line++;
            return (long)number_of(line);
        }
    return -1;
}
