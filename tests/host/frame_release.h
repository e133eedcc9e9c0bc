/*
 * frame_release.h - the frame pool as it ships: without CHECKED.
 *
 * Only so do the short ways through frame_get() and frame_put() run under test: in a checked build every free frame has
 * known contents, which sends all calls the long way. Included first by test_frame*_release.c, each of which is a test
 * of frames once more.
 */
#ifndef QUIRE_TESTS_FRAME_RELEASE_H
#define QUIRE_TESTS_FRAME_RELEASE_H

#undef CHECKED

#include "memory/frames/pool.c"
#include "memory/frames/frame_magazine.c"
#include "memory/frames/frame.c"
#include "memory/check/frame_audit.c"

#endif
