/*
 * corrupt.c - the table of all corruptions.
 */
#include "memory/check/corrupt.h"

#include <layout.h>

#define ROW(id, name, only, how) { id, only, corrupt_##name, restore_##name, how }

const struct corruption corruptions[] = {
    ROW("P1", p1, 0, "the memory map ends with a range that is empty"),
    ROW("P2", p2, 0, "a range of the memory map is cut in two that are alike"),
    ROW("P3", p3, 0, "the memory map's limit moves below its last range"),
    ROW("F1", f1, 0, "a frame that has an owner loses its last reference and is not free"),
    ROW("F2", f2, 0, "an area counts one free frame more than its bits say"),
    ROW("F3", f3, 0, "the sum of frames of owner test counts one that is not there"),
    ROW("F4", f4, 0, "a frame that is no RAM becomes free in the bitmap"),
    ROW("F5", f5, IF_CHECKED, "somebody writes to a frame after giving it back"),
    ROW("C1", c1, 0, "the record of a user table counts one entry too many"),
    ROW("C2", c2, 0, "programs may read a page of the kernel"),
    ROW("C3", c3, 0, "another space lacks one of the kernel's tables"),
    ROW("C4", c4, ON_HOST, "an entry in use loses a right and nobody flushes"),
    ROW("R1", r1, 0, "the limits of kernel space end before its last region does"),
    ROW("R2", r2, 0, "the root of the region tree claims to be one higher"),
    ROW("R3", r3, 0, "a region claims one free page more below it"),
    ROW("R4", r4, 0, "the region tree counts one region too many"),
    ROW("S1", s1, 0, "a page of the kernel's constants becomes writable"),
    ROW("S2", s2, 0, "a page of the kernel's code becomes writable, where execution is a right of its own"),
    ROW("S3", s3, 0, "a user page is mapped where no region is"),
    ROW("S4", s4, 0, "kernel space counts one table too many"),
    ROW("S5", s5, 0, "the guard below a region of the heap's window is mapped"),
    ROW("H1", h1, 0, "a slab counts one block in use too many"),
    ROW("H2", h2, 0, "a chunk calls a page of a slab free"),
    ROW("H3", h3, 0, "a magazine forgets a block it holds"),
    ROW("H4", h4, 0, "somebody writes past the end of a block"),
    ROW("H5", h5, 0, "a frame of owner heap that the heap knows nothing of"),
    ROW("K1", k1, 0, "a page of a stack in use is blocked"),
    ROW("K2", k2, 0, "a frame of owner stacks that belongs to no stack"),
    ROW("K3", k3, 0, "the pool of kernel space counts one stack too many"),
    ROW("O1", o1, 0, "an object ends before its last page"),
    ROW("O2", o2, 0, "an object counts one resident page too many"),
    ROW("O3", o3, 0, "an object lists a region that maps nothing"),
#ifdef LAYOUT_ACCESS_WINDOW
    ROW("W1", w1, 0, "a free place of the window shows a frame"),
    ROW("W2", w2, 0, "a process's structure has a place for a table that is not there"),
    ROW("W3", w3, 0, "a process's structure says that it is another space's"),
    ROW("W4", w4, 0, "a place of the window is promised, and nobody takes it"),
#endif
#ifdef LAYOUT_ACCESS_TRACKED
    ROW("E1", e1, 0, "the list gives an object's place to another"),
    ROW("E2", e2, 0, "a space calls another tracker its own"),
    ROW("E3", e3, 0, "an object shows its directory where a table is missing"),
    ROW("E4", e4, 0, "a page of trackers has a pin too many"),
    ROW("E5", e5, 0, "an absent entry of the master table forgets its frame"),
#endif
    ROW("X1", x1, 0, "a frame of owner tables that no table leads to"),
    ROW("X2", x2, 0, "a page of the heap has a reference that no entry holds"),
    ROW("X3", x3, 0, "an entry of the heap's window shows a frame of owner held"),
    ROW("X4", x4, 0, "the memory map takes back what it said about a range"),
};
const uint32_t corruption_count = COUNT_OF(corruptions);
