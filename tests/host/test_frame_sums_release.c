/*
 * test_frame_sums_release.c - test_frame_sums.c once more, as the frame pool ships.
 */
#include "frame_release.h"

#include "tests/host/test_frame_sums.c"
