/*
 * test_frame_release.c - test_frame.c once more, as the frame pool ships: without CHECKED.
 *
 * Only here do the short ways through frame_get() and frame_put() run under test: in a checked build
 * every free frame has known contents, which sends all calls the long way.
 */
#undef CHECKED

#include "memory/frames/pool.c"
#include "memory/frames/frame_magazine.c"
#include "memory/frames/frame.c"
#include "memory/check/frame_audit.c"

#include "tests/host/test_frame.c"
