/*
 * templates.c - which arguments make sense for which call: a letter each.
 *
 *   d descriptor     n 0 to 8          l length       x any word     F few bits    z 0        p path         b buffer
 *   a page           A pages' length   s signal       u process      i command
 *   P rights         M map flags       f open flags   D mode         U futex operation
 *   N clone flags    8 8, mostly
 *   structures (structures.c): t T y Y times and timers, v iovec, k socket's address, K its length, m message,
 *   w signal set, h sigaction, o pollfd, e epoll_event, H sigevent, j flock, R rlimit, g user_desc, q argv, C six
 *   arguments, c capability, I siginfo, G clone_args, O open_how, B filter
 *
 * A number that is not here gets any words; and one call in eight is any number from 0 to 511 with any words, one in 64
 * any number at all. Source: Linux, arch/x86/entry/syscalls/syscall_32.tbl, and section 2 of its manual.
 */
#include "fuzzer.h"

static const struct { uint16_t number; const char *letters; } templates[] = {
    { 0, "" }, { 2, "" }, { 3, "dbl" }, { 4, "dbl" }, { 5, "pfD" }, { 6, "d" }, { 7, "ubF" }, { 8, "pD" }, { 9, "pp" },
    { 10, "p" }, { 11, "pqq" }, { 12, "p" }, { 13, "b" }, { 14, "pDx" }, { 15, "pD" }, { 16, "pnn" }, { 18, "pb" },
    { 19, "dxn" }, { 20, "" }, { 21, "pppFb" }, { 22, "p" }, { 23, "x" }, { 24, "" }, { 25, "b" }, { 26, "nuax" },
    { 27, "n" }, { 28, "db" }, { 29, "" }, { 30, "pb" }, { 33, "pn" }, { 34, "n" }, { 36, "" }, { 37, "us" },
    { 38, "pp" }, { 39, "pD" }, { 40, "p" }, { 41, "d" }, { 42, "b" }, { 43, "b" }, { 45, "a" }, { 48, "sa" },
    { 51, "p" }, { 52, "pF" }, { 54, "dib" }, { 55, "dij" }, { 57, "uu" }, { 60, "D" }, { 61, "p" }, { 62, "xb" },
    { 63, "dd" }, { 64, "" }, { 65, "" }, { 66, "" }, { 67, "shh" }, { 68, "" }, { 69, "x" }, { 70, "xx" },
    { 71, "xx" }, { 72, "nnw" }, { 73, "b" }, { 74, "bl" }, { 75, "nR" }, { 76, "nb" }, { 77, "nb" }, { 78, "bb" },
    { 79, "tz" }, { 80, "nb" }, { 81, "nb" }, { 82, "C" }, { 83, "pp" }, { 84, "pb" }, { 85, "pbl" }, { 86, "p" },
    { 87, "pF" }, { 88, "xxnb" }, { 89, "dbn" }, { 90, "C" }, { 91, "aA" }, { 92, "pl" }, { 93, "dl" }, { 94, "dD" },
    { 95, "dnn" }, { 96, "nu" }, { 97, "nun" }, { 99, "pb" }, { 100, "db" }, { 101, "xxn" }, { 102, "nC" },
    { 103, "nbl" }, { 104, "nyb" }, { 105, "nb" }, { 106, "pb" }, { 107, "pb" }, { 108, "db" }, { 110, "n" },
    { 111, "" }, { 113, "nb" }, { 114, "ubFb" }, { 115, "p" }, { 116, "b" }, { 117, "xnxxbx" }, { 118, "d" },
    { 120, "NaaAa" }, { 121, "bl" }, { 122, "b" }, { 123, "ngl" }, { 124, "b" }, { 125, "aAP" }, { 126, "nww" },
    { 128, "bbb" }, { 129, "bF" }, { 131, "xpnb" }, { 132, "u" }, { 133, "d" }, { 135, "nbb" }, { 136, "x" },
    { 138, "n" }, { 139, "n" }, { 140, "dnxbn" }, { 141, "dbl" }, { 142, "nbbby" }, { 143, "dn" }, { 144, "aAF" },
    { 145, "dvn" }, { 146, "dvn" }, { 147, "u" }, { 148, "d" }, { 149, "b" }, { 150, "aA" }, { 151, "aA" },
    { 152, "n" }, { 153, "" }, { 154, "ub" }, { 155, "ub" }, { 156, "unb" }, { 157, "u" }, { 158, "" }, { 159, "n" },
    { 160, "n" }, { 161, "ub" }, { 162, "tb" }, { 163, "aAAFa" }, { 164, "xxx" }, { 165, "bbb" }, { 166, "xb" },
    { 168, "onn" }, { 170, "xxx" }, { 171, "bbb" }, { 172, "xxxxx" }, { 174, "shb8" }, { 175, "nwb8" }, { 176, "b8" },
    { 177, "wbt8" }, { 178, "usI" }, { 179, "w8" }, { 180, "dblxz" }, { 181, "dblxz" }, { 182, "pnn" }, { 183, "bl" },
    { 184, "cb" }, { 185, "cb" }, { 186, "bb" }, { 187, "ddbl" }, { 190, "" }, { 191, "nb" }, { 192, "aAPMdn" },
    { 193, "plz" }, { 194, "dlz" }, { 195, "pb" }, { 196, "pb" }, { 197, "db" }, { 198, "pnn" }, { 199, "" },
    { 203, "xx" }, { 204, "xx" }, { 205, "nb" }, { 206, "nb" }, { 207, "dnn" }, { 208, "xxx" }, { 209, "bbb" },
    { 210, "xxx" }, { 211, "bbb" }, { 212, "pnn" }, { 213, "x" }, { 214, "x" }, { 217, "pp" }, { 218, "aAb" },
    { 219, "aAn" }, { 220, "dbl" }, { 221, "dij" }, { 224, "" }, { 225, "dnl" }, { 226, "ppbln" }, { 228, "dpbln" },
    { 229, "ppbl" }, { 231, "dpbl" }, { 232, "pbl" }, { 234, "dbl" }, { 235, "pp" }, { 237, "dp" }, { 238, "us" },
    { 239, "ddbl" }, { 240, "bUntbn" }, { 241, "ulb" }, { 242, "ulb" }, { 243, "g" }, { 244, "g" }, { 245, "nb" },
    { 250, "dnxln" }, { 254, "n" }, { 255, "dnde" }, { 256, "dbnn" }, { 257, "aAFnF" }, { 258, "b" }, { 259, "nHb" },
    { 260, "nnyb" }, { 261, "nb" }, { 262, "n" }, { 263, "n" }, { 264, "nt" }, { 265, "nb" }, { 266, "nb" },
    { 267, "nntb" }, { 268, "p8b" }, { 269, "d8b" }, { 270, "uus" }, { 271, "pb" }, { 272, "dxxxn" }, { 274, "aAnbnF" },
    { 276, "nbn" }, { 277, "pfDb" }, { 279, "dbln" }, { 280, "dblnb" }, { 284, "nubFb" }, { 286, "ppbln" },
    { 288, "nxxx" }, { 292, "dpF" }, { 293, "dn" }, { 295, "dpfD" }, { 296, "dpD" }, { 297, "dpDx" }, { 298, "dpnnF" },
    { 299, "dpb" }, { 300, "dpbF" }, { 301, "dpF" }, { 302, "dpdp" }, { 303, "dpdpF" }, { 304, "pdp" }, { 305, "dpbl" },
    { 306, "dpD" }, { 307, "dpn" }, { 308, "nbbbtb" }, { 309, "ontw8" }, { 310, "N" }, { 311, "bl" }, { 312, "ubb" },
    { 313, "dbdblF" }, { 314, "dxxxxF" }, { 315, "ddlF" }, { 316, "dvnF" }, { 317, "unbbbF" }, { 318, "bbb" },
    { 319, "dbnnw8" }, { 320, "dptF" }, { 321, "dw8" }, { 322, "nF" }, { 323, "n" }, { 324, "dFxxxx" }, { 325, "dnyb" },
    { 326, "db" }, { 327, "dw8F" }, { 328, "nf" }, { 329, "f" }, { 330, "ddf" }, { 331, "bf" }, { 332, "f" },
    { 333, "dvnxz" }, { 334, "dvnxz" }, { 335, "uusI" }, { 336, "bundF" }, { 337, "dmnFt" }, { 338, "FF" },
    { 340, "unRb" }, { 341, "dpbbF" }, { 342, "dbf" }, { 343, "nb" }, { 344, "d" }, { 345, "dmnF" }, { 346, "dN" },
    { 347, "uvnvnF" }, { 348, "uvnvnF" }, { 349, "uunxx" }, { 350, "dbF" }, { 351, "ubn" }, { 352, "ubln" },
    { 353, "dpdpF" }, { 354, "nFB" }, { 355, "blF" }, { 356, "pF" }, { 357, "nbl" }, { 358, "dpqqF" }, { 359, "nnn" },
    { 360, "nnnb" }, { 361, "dkn" }, { 362, "dkl" }, { 363, "dn" }, { 364, "dkKf" }, { 365, "dnnbK" }, { 366, "dnnbl" },
    { 367, "dkK" }, { 368, "dkK" }, { 369, "dblFkl" }, { 370, "dmF" }, { 371, "dblFkK" }, { 372, "dmF" }, { 373, "dn" },
    { 374, "f" }, { 375, "FFn" }, { 376, "aAn" }, { 377, "dbdblF" }, { 378, "dvnxzF" }, { 379, "dvnxzF" },
    { 380, "aAPn" }, { 381, "Fn" }, { 382, "n" }, { 383, "dpFFb" }, { 384, "nx" }, { 386, "blFx" }, { 393, "xnF" },
    { 394, "nnnb" }, { 395, "nbnF" }, { 396, "nnaF" }, { 397, "naF" }, { 398, "a" }, { 399, "nF" }, { 400, "nblF" },
    { 401, "nblFn" }, { 402, "nnb" }, { 403, "nb" }, { 404, "nT" }, { 405, "nb" }, { 406, "nb" }, { 407, "nnTb" },
    { 408, "nb" }, { 409, "nnYb" }, { 410, "db" }, { 411, "dnYb" }, { 412, "dpTF" }, { 413, "nbbbTb" },
    { 414, "onTw8" }, { 416, "nnnbTw" }, { 417, "dmnFT" }, { 418, "nblnT" }, { 419, "nblnT" }, { 420, "nbnT" },
    { 421, "wbT8" }, { 422, "bUnTbn" }, { 423, "ub" }, { 424, "dsIF" }, { 425, "nb" }, { 426, "dnnFbl" },
    { 427, "dnbn" }, { 428, "dpF" }, { 429, "dpdpF" }, { 430, "pF" }, { 431, "dnpbn" }, { 432, "dFF" }, { 433, "dpF" },
    { 434, "uF" }, { 435, "Gl" }, { 436, "ddF" }, { 437, "dpOl" }, { 438, "ddF" }, { 439, "dpnF" }, { 440, "dvnnF" },
    { 441, "dbnTw8" }, { 442, "dpFbl" }, { 443, "dFnb" }, { 444, "blF" }, { 445, "dnbF" }, { 446, "dF" }, { 447, "F" },
    { 448, "dF" }, { 449, "bnFTn" }, { 450, "aAnF" }, { 451, "dbbF" }, { 452, "dpDF" }, { 453, "aAF" }, { 454, "bxxF" },
    { 455, "bxxFTn" }, { 456, "bFnn" }, { 457, "bblF" }, { 458, "bblF" }, { 462, "aAF" },
};

enum { NUMBERS = 512, WILD = 8, WILDEST = 64 };

static const char *letters_of(uint32_t number)
{
    static const char *found[NUMBERS];

    if (found[1] == NULL) {
        for (unsigned i = 0; i < NUMBERS; i++)
            found[i] = "xxxxxx";
        for (unsigned i = 0; i < COUNT_OF(templates); i++)
            found[templates[i].number] = templates[i].letters;
    }
    return number < NUMBERS ? found[number] : "xxxxxx";
}

/* A call is likelier the more others it can meet: memory, descriptors and signals are preferred by half. */
static uint32_t some_number(struct worker *w)
{
    static const uint16_t often[] = {
        3, 4, 5, 6, 10, 38, 41, 42, 45, 54, 63, 91, 125, 142, 145, 146, 163, 168, 174, 175, 187, 192, 192, 192, 219,
        221, 240, 256, 255, 295, 322, 320, 360, 361, 362, 363, 364, 369, 370, 370, 371, 372, 372, 377, 378, 333, 334,
        37, 104, 259, 260, 93, 324, 220, 220, 143, 313, 315, 316, 150, 218, 144, 140, 140, 140, 141, 19,
    };

    /* Those about a process or a thread, but for signals, which would end the batch. */
    static const uint16_t about[] = {
        57, 96, 97, 114, 132, 147, 154, 155, 156, 157, 161, 184, 241, 241, 242, 284, 289, 290, 312, 340, 347, 348, 351,
        352, 423,
    };

    if (w->kind == ENDINGS && !chance_one_in(&w->chance, 4))
        return CHANCE_OF(&w->chance, about);
    if (chance_one_in(&w->chance, WILDEST))
        return chance_word(&w->chance);
    if (chance_one_in(&w->chance, WILD))
        return chance_below(&w->chance, NUMBERS);
    return chance_one_in(&w->chance, 2) ? CHANCE_OF(&w->chance, often) : CHANCE_OF(&w->chance, templates).number;
}

void next_call(struct worker *w, struct call *call)
{
    const char *letters;
    bool        wild = chance_one_in(&w->chance, 40);

    call->number = (long)some_number(w);
    letters      = letters_of((uint32_t)call->number);
    for (unsigned i = 0; i < 6; i++) {
        char letter = wild || *letters == '\0' ? 'x' : *letters++;

        if (chance_one_in(&w->chance, 20))
            letter = "xbdaln"[chance_below(&w->chance, 6)];
        call->argument[i] = (long)value_of(w, letter);
    }
}
