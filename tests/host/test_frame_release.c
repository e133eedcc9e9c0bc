/*
 * test_frame_release.c - test_frame.c once more, as the frame pool ships.
 */
#include "frame_release.h"

#include "tests/host/test_frame.c"
