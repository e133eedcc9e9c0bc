/*
 * test_processor.c - the i386 on which claims run programs (tests/claims/processor.c), against the processor at hand.
 *
 * Instructions on registers are the same bytes in the host's mode: each is executed by both, with random registers and
 * flags, and both must have the same afterwards, but for flags that the manual leaves undefined.
 */
#include <sys/mman.h>

#include "map_world.h"

#include "memory/spaces/user.h"

#include "tests/claims/processor.c"

enum { ROUNDS = 60, CODE_BYTES = 16 };
enum { LOGIC = CARRY | PARITY | ZERO | SIGN | OVERFLOW, SHIFTED = LOGIC & ~OVERFLOW, WIDE = CARRY | OVERFLOW };

struct registers { uint32_t eax, ecx, edx, ebx, esi, edi, eflags; };

/* ---- The processor at hand ---------------------------------------------------------------------------- */

/* void run_native(struct registers *registers, const void *code): the code ends with RET. */
void run_native(struct registers *registers, const void *code);
__asm__(".text\n"
        "run_native:\n"
        "    pushq %rbx\n    pushq %rbp\n    movq %rsi, %rbp\n    pushq %rdi\n"
        "    movl 24(%rdi), %eax\n    pushq %rax\n"
        "    movl 0(%rdi), %eax\n    movl 4(%rdi), %ecx\n    movl 8(%rdi), %edx\n    movl 12(%rdi), %ebx\n"
        "    movl 16(%rdi), %esi\n    movl 20(%rdi), %edi\n"
        "    popfq\n    call *%rbp\n    pushfq\n    popq %rbp\n"
        "    cld\n    xchgq %rdi, (%rsp)\n"
        "    movl %eax, 0(%rdi)\n    movl %ecx, 4(%rdi)\n    movl %edx, 8(%rdi)\n    movl %ebx, 12(%rdi)\n"
        "    movl %esi, 16(%rdi)\n    popq %rsi\n    movl %esi, 20(%rdi)\n    movl %ebp, 24(%rdi)\n"
        "    popq %rbp\n    popq %rbx\n    ret\n");

static uint8_t *native_code(void)
{
    static uint8_t *code;

    if (code == NULL)
        code = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(code != MAP_FAILED);
    return code;
}

/* ---- The one that is tested ----------------------------------------------------------------------------- */

static struct trap_frame frame;

static bool step_at(vaddr_t at)
{
    frame.eip = (uint32_t)at;
    return processor_step(&frame, &program, 0);
}

static void put_code(const void *bytes, size_t count)
{
    assert_int_equal(user_write_in(&program, column(0), bytes, count), 0);
}

static void run_here(struct registers *r, size_t bytes)
{
    frame = (struct trap_frame){ .eax = r->eax, .ecx = r->ecx, .edx = r->edx, .ebx = r->ebx, .esi = r->esi,
                                 .edi = r->edi, .eflags = r->eflags };
    assert_true(step_at(column(0)));
    assert_int_equal(frame.eip, column(0) + bytes);
    *r = (struct registers){ frame.eax, frame.ecx, frame.edx, frame.ebx, frame.esi, frame.edi, frame.eflags };
}

/* ---- Both ------------------------------------------------------------------------------------------------- */

static uint32_t state = 1;

static uint32_t draw_number(void)
{
    state = state * 1664525 + 1013904223;
    return state >> 8 | state << 24;
}

/* Numbers at which carries and signs change come often. */
static uint32_t draw_value(void)
{
    static const uint32_t edges[] = { 0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000,
                                      UINT32_MAX };

    return draw_number() % 3 == 0 ? edges[draw_number() % COUNT_OF(edges)] : draw_number();
}

/* A ModRM byte of two registers; ESP and EBP are not among them, which as bytes are others. */
static uint8_t draw_pair(bool bytes)
{
    static const uint8_t whole_ones[] = { 0, 1, 2, 3, 6, 7 };

    return (uint8_t)(0xC0 | (bytes ? draw_number() & 0x3F :
                             (uint32_t)whole_ones[draw_number() % 6] << 3 | whole_ones[draw_number() % 6]));
}

static void compare(const uint8_t *code, size_t bytes, uint32_t defined)
{
    struct registers native = { draw_value(), draw_value(), draw_value(), draw_value(), draw_value(), draw_value(),
                                (draw_number() & ARITHMETIC) | 2 }, ours = native, before = native;

    memcpy(native_code(), code, bytes);
    native_code()[bytes] = 0xC3;
    put_code(code, bytes);
    run_native(&native, native_code());
    run_here(&ours, bytes);
    native.eflags &= defined;
    ours.eflags   &= defined;
    if (memcmp(&native, &ours, sizeof native) != 0)
        fail_msg("%02x %02x %02x %02x %02x: eax %08x ecx %08x edx %08x flags %x: eax %08x ecx %08x edx %08x flags %x, "
                 "not %08x %08x %08x %x", code[0], code[1], code[2], code[3], code[4],
                 before.eax, before.ecx, before.edx, before.eflags, ours.eax, ours.ecx, ours.edx, ours.eflags,
                 native.eax, native.ecx, native.edx, native.eflags);
}

/* Codes with a ModRM byte and `more` bytes; `which` of a group, -1: a register. */
struct form { uint8_t code[2]; int which; unsigned more; bool bytes; uint32_t defined; };

static void compare_form(const struct form *form, bool narrow)
{
    uint8_t  code[CODE_BYTES] = { 0 };
    size_t   at = 0;
    unsigned more = form->more == 4 && narrow ? 2 : form->more;
    bool     shifts = form->defined == SHIFTED;

    if (narrow)
        code[at++] = 0x66;
    code[at++] = form->code[0];
    if (form->code[0] == 0x0F)
        code[at++] = form->code[1];
    code[at] = draw_pair(form->bytes);
    if (form->which >= 0)
        code[at] = (uint8_t)((code[at] & 0xC7) | form->which << 3);
    at++;
    for (unsigned n = 0; n < more; n++)
        code[at++] = (uint8_t)(shifts ? draw_number() % (form->bytes ? 8 : narrow ? 16 : 32) : draw_number());
    compare(code, at, form->defined);
}

static void arithmetic_is_the_processors(void)
{
    paint("w.......");
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned which = 0; which < 8; which++)
            for (unsigned form = 0; form < 4; form++) {
                const struct form two = { { (uint8_t)(which << 3 | form), 0 }, -1, 0, !(form & 1), LOGIC };
                const struct form immediate[] = { { { 0x80, 0 }, (int)which, 1, true, LOGIC },
                                                  { { 0x81, 0 }, (int)which, 4, false, LOGIC },
                                                  { { 0x83, 0 }, (int)which, 1, false, LOGIC } };

                compare_form(&two, false);
                compare_form(&two, (form & 1) && round % 2);
                compare_form(&immediate[form % 3], form % 3 != 0 && round % 2);
            }
}

static void shifts_and_bits_are_the_processors(void)
{
    static const struct form forms[] = {
        { { 0xC0, 0 }, 4, 1, true, SHIFTED },  { { 0xC1, 0 }, 4, 1, false, SHIFTED },
        { { 0xC0, 0 }, 5, 1, true, SHIFTED },  { { 0xC1, 0 }, 5, 1, false, SHIFTED },
        { { 0xC0, 0 }, 7, 1, true, SHIFTED },  { { 0xC1, 0 }, 7, 1, false, SHIFTED },
        { { 0xD0, 0 }, 4, 0, true, LOGIC },    { { 0xD1, 0 }, 5, 0, false, LOGIC },
        { { 0xD1, 0 }, 7, 0, false, LOGIC },   { { 0xD3, 0 }, 0, 0, false, CARRY },
        { { 0xC1, 0 }, 0, 1, false, CARRY },   { { 0xC1, 0 }, 1, 1, false, CARRY },
        { { 0x0F, 0xA3 }, -1, 0, false, CARRY }, { { 0x0F, 0xAB }, -1, 0, false, CARRY },
        { { 0x0F, 0xB3 }, -1, 0, false, CARRY }, { { 0x0F, 0xBB }, -1, 0, false, CARRY },
        { { 0x0F, 0xBA }, 4, 1, false, CARRY },  { { 0x0F, 0xBA }, 7, 1, false, CARRY },
    };
    static const struct form wide_ones[] = {
        { { 0x0F, 0xA4 }, -1, 1, false, SHIFTED }, { { 0x0F, 0xAC }, -1, 1, false, SHIFTED },
        { { 0x0F, 0xA5 }, -1, 0, false, SHIFTED }, { { 0x0F, 0xAD }, -1, 0, false, SHIFTED },
    };

    paint("w.......");
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned n = 0; n < COUNT_OF(forms); n++)
            compare_form(&forms[n], !forms[n].bytes && forms[n].defined != CARRY && round % 3 == 0);
        for (unsigned n = 0; n < COUNT_OF(wide_ones); n++)
            compare_form(&wide_ones[n], false);
    }
}

static void products_moves_and_conditions_are_the_processors(void)
{
    static const struct form forms[] = {
        { { 0xF6, 0 }, 4, 0, true, WIDE },    { { 0xF7, 0 }, 4, 0, false, WIDE },
        { { 0xF6, 0 }, 5, 0, true, WIDE },    { { 0xF7, 0 }, 5, 0, false, WIDE },
        { { 0x69, 0 }, -1, 4, false, WIDE },  { { 0x6B, 0 }, -1, 1, false, WIDE },
        { { 0x0F, 0xAF }, -1, 0, false, WIDE },
        { { 0xF6, 0 }, 0, 1, true, LOGIC },   { { 0xF7, 0 }, 0, 4, false, LOGIC }, { { 0xF7, 0 }, 2, 0, false, LOGIC },
        { { 0xF6, 0 }, 3, 0, true, LOGIC },   { { 0xF7, 0 }, 3, 0, false, LOGIC },
        { { 0xFE, 0 }, 0, 0, true, LOGIC },   { { 0xFE, 0 }, 1, 0, true, LOGIC },  { { 0xFF, 0 }, 0, 0, false, LOGIC },
        { { 0xFF, 0 }, 1, 0, false, LOGIC },
        { { 0x84, 0 }, -1, 0, true, LOGIC },  { { 0x85, 0 }, -1, 0, false, LOGIC },
        { { 0x86, 0 }, -1, 0, true, LOGIC },  { { 0x87, 0 }, -1, 0, false, LOGIC },
        { { 0x88, 0 }, -1, 0, true, LOGIC },  { { 0x89, 0 }, -1, 0, false, LOGIC },
        { { 0x8A, 0 }, -1, 0, true, LOGIC },  { { 0x8B, 0 }, -1, 0, false, LOGIC },
        { { 0xC6, 0 }, 0, 1, true, LOGIC },   { { 0xC7, 0 }, 0, 4, false, LOGIC },
    };
    static const struct form bare[] = {
        { { 0x0F, 0xB7 }, -1, 0, false, LOGIC }, { { 0x0F, 0xBF }, -1, 0, false, LOGIC },
        { { 0x0F, 0xB6 }, -1, 0, false, LOGIC }, { { 0x0F, 0xBE }, -1, 0, false, LOGIC },
    };

    paint("w.......");
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned n = 0; n < COUNT_OF(forms); n++)
            compare_form(&forms[n], !forms[n].bytes && round % 3 == 0);
        for (unsigned n = 0; n < COUNT_OF(bare); n++)
            compare_form(&bare[n], false);
        for (unsigned condition = 0; condition < 16; condition++) {
            compare_form(&(struct form){ { 0x0F, (uint8_t)(0x90 | condition) }, 0, 0, true, LOGIC }, false);
            compare_form(&(struct form){ { 0x0F, (uint8_t)(0x40 | condition) }, -1, 0, false, LOGIC }, round % 2);
        }
        compare((const uint8_t[]){ 0x98 }, 1, LOGIC);
        compare((const uint8_t[]){ 0x99 }, 1, LOGIC);
        compare((const uint8_t[]){ 0x91 }, 1, LOGIC);
        compare((const uint8_t[]){ 0x0F, 0xC8 }, 2, LOGIC);
        compare((const uint8_t[]){ 0xB3, (uint8_t)draw_number() }, 2, LOGIC);
        compare((const uint8_t[]){ 0xA9, 1, (uint8_t)draw_number(), 3, 0x80 }, 5, LOGIC);
    }
}

/* A division is undefined for most random numbers: the divisor is larger than the high half. */
static void quotients_are_the_processors(void)
{
    paint("w.......");
    for (unsigned round = 0; round < 10 * ROUNDS; round++) {
        bool             with_sign = round % 2;
        const uint8_t    code[] = { 0xF7, with_sign ? 0xFB : 0xF3, 0xC3 };
        struct registers native = { .eax = draw_value(), .edx = draw_number() % 1000,
                                    .ebx = 0x10000 + (draw_number() & 0x3FFFFFFF) };
        struct registers ours;

        if (with_sign && round % 4 == 1)
            native.ebx = -native.ebx, native.edx = ~native.edx;
        ours = native;
        memcpy(native_code(), code, sizeof code);
        put_code(code, sizeof code);
        run_native(&native, native_code());
        run_here(&ours, 2);
        assert_int_equal(ours.eax, native.eax);
        assert_int_equal(ours.edx, native.edx);
    }
}

/* ---- Memory, the stack, and traps --------------------------------------------------------------------------- */

/* Pages that can be written, present from the start, and others: nobody handles faults here. */
static void paint_present(const char *picture)
{
    paint(picture);
    for (size_t n = 0; picture[n] == 'w'; n++)
        assert_int_equal(user_write_in(&program, column(n), "", 1), 0);
}

static void run_bytes(const void *bytes, size_t count)
{
    put_code(bytes, count);
    assert_true(step_at(column(0)));
}

static void addresses_are_what_their_bytes_say(void)
{
    paint_present("ww......");
    frame = (struct trap_frame){ .eax = 7, .ebx = (uint32_t)column(1), .ecx = 3 };
    assert_int_equal(user_write_in(&program, column(1) + 24, "\x11\x22\x33\x44\x55", 5), 0);
    run_bytes("\x8B\x53\x18", 3);                                   /* 24(%ebx) */
    assert_int_equal(frame.edx, 0x44332211);
    run_bytes("\x8B\x54\x8B\x0D", 4);                               /* 13(%ebx,%ecx,4) */
    assert_int_equal(frame.edx, 0x55443322);
    run_bytes("\x0F\xB6\x93\x1C\x00\x00\x00", 7);                   /* 28(%ebx), a byte */
    assert_int_equal(frame.edx, 0x55);
    run_bytes("\x8D\x84\x88\x00\x01\x00\x00", 7);                   /* LEA 256(%eax,%ecx,4) */
    assert_int_equal(frame.eax, 7 + 12 + 256);
    frame.eax = frame.ebx + 24;
    put_code("\x65\x8B\x10", 3);                                    /* %gs:(%eax) */
    frame.eip = (uint32_t)column(0);
    assert_true(processor_step(&frame, &program, 1));
    assert_int_equal(frame.edx, 0x55443322);
}

static void a_call_pushes_where_it_returns_to(void)
{
    uint32_t word;

    paint_present("ww......");
    frame = (struct trap_frame){ .esp = (uint32_t)column(1) + 64, .ebp = 5 };
    run_bytes("\xE8\x10\x00\x00\x00", 5);
    assert_int_equal(frame.eip, column(0) + 0x15);
    assert_int_equal(user_read_in(&program, &word, frame.esp, sizeof word), 0);
    assert_int_equal(word, column(0) + 5);
    run_bytes("\xC3", 1);
    assert_int_equal(frame.eip, column(0) + 5);
    run_bytes("\x6A\xFE", 2);
    run_bytes("\x5D", 1);
    assert_int_equal(frame.ebp, (uint32_t)-2);
    assert_int_equal(frame.esp, column(1) + 64);
    frame.ebp = (uint32_t)column(1) + 16;
    assert_int_equal(user_write_in(&program, column(1) + 16, "\x09\0\0", 4), 0);
    run_bytes("\xC9", 1);
    assert_int_equal(frame.ebp, 9);
    assert_int_equal(frame.esp, column(1) + 20);
}

static void a_repeated_instruction_counts_down(void)
{
    char     bytes[8];
    unsigned steps = 0;

    paint_present("ww......");
    put_code("\xF3\xAA", 2);
    frame = (struct trap_frame){ .eax = 'x', .ecx = 5, .edi = (uint32_t)column(1), .eip = (uint32_t)column(0) };
    for (; frame.eip == column(0); steps++)
        assert_true(processor_step(&frame, &program, 0));
    assert_int_equal(steps, 5);
    assert_int_equal(frame.ecx, 0);
    assert_int_equal(frame.edi, column(1) + 5);
    assert_int_equal(user_read_in(&program, bytes, column(1), sizeof bytes), 0);
    assert_memory_equal(bytes, "xxxxx\0\0", 8);
}

/* The registers of an instruction that faults are as before it; so are the bytes in front of a border. */
static void a_fault_changes_nothing(void)
{
    struct trap_frame before;
    uint32_t          word;

    paint_present("wwr-....");
    frame = (struct trap_frame){ .eax = 0x12345678, .ebx = (uint32_t)column(2) - 2, .esp = (uint32_t)column(4) };
    put_code("\x89\x03\x50\x8B\x03", 5);                            /* MOV %eax, (%ebx); PUSH %eax; MOV (%ebx), %eax */
    before = frame;
    assert_false(step_at(column(0)));
    assert_int_equal(frame.vector, TRAP_PAGE_FAULT);
    assert_int_equal(frame.error & FAULT_WRITE, FAULT_WRITE);
    assert_int_equal(processor_fault_address(), column(2));
    assert_int_equal(user_read_in(&program, &word, column(2) - 4, sizeof word), 0);
    assert_int_equal(word, 0);
    assert_int_equal(frame.eax, before.eax);
    assert_false(step_at(column(0) + 2));
    assert_int_equal(frame.vector, TRAP_PAGE_FAULT);
    assert_int_equal(frame.esp, before.esp);
    assert_int_equal(frame.eip, column(0) + 2);
    assert_false(step_at(column(3)));
    assert_int_equal(processor_fault_address(), column(3));
}

static void what_it_does_not_know_is_an_invalid_code(void)
{
    paint_present("w.......");
    put_code("\x0F\x0B\xD9\xC0\xF4\xCD\x80\xCD\x03", 9);
    assert_false(step_at(column(0)));
    assert_int_equal(frame.vector, TRAP_INVALID_OPCODE);
    assert_false(step_at(column(0) + 2));                           /* FLD: no floating point */
    assert_int_equal(frame.vector, TRAP_INVALID_OPCODE);
    assert_false(step_at(column(0) + 4));                           /* HLT */
    assert_int_equal(frame.vector, TRAP_PROTECTION);
    assert_false(step_at(column(0) + 5));                           /* a system call, after the instruction */
    assert_int_equal(frame.vector, TRAP_LINUX);
    assert_int_equal(frame.eip, column(0) + 7);
    assert_false(step_at(column(0) + 7));
    assert_int_equal(frame.vector, TRAP_PROTECTION);
}

static void a_division_by_zero_is_a_trap(void)
{
    paint_present("w.......");
    put_code("\xF7\xF3", 2);
    frame = (struct trap_frame){ .eax = 1 };
    assert_false(step_at(column(0)));
    assert_int_equal(frame.vector, 0);
    frame = (struct trap_frame){ .edx = 5, .ebx = 5 };              /* the quotient needs 33 bits */
    assert_false(step_at(column(0)));
    assert_int_equal(frame.vector, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(arithmetic_is_the_processors),
        on_machine(shifts_and_bits_are_the_processors),
        on_machine(products_moves_and_conditions_are_the_processors),
        on_machine(quotients_are_the_processors),
        on_machine(addresses_are_what_their_bytes_say),
        on_machine(a_call_pushes_where_it_returns_to),
        on_machine(a_repeated_instruction_counts_down),
        on_machine(a_fault_changes_nothing),
        on_machine(what_it_does_not_know_is_an_invalid_code),
        on_machine(a_division_by_zero_is_a_trap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
