/*
 * no_document.h - for tests that ask no document for anything: policies are handed to what they test.
 *
 * The program is then the same, byte for byte, under each layout, and is run once (tests/quire_runner.py). Included
 * once by a test program. It defines what a few inline functions, which are not called here, refer to.
 */
#ifndef QUIRE_TESTS_NO_DOCUMENT_H
#define QUIRE_TESTS_NO_DOCUMENT_H

#include "memory/layout.h"

const struct layout layout = { 0 };

#endif
