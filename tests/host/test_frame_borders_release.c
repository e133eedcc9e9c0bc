/*
 * test_frame_borders_release.c - test_frame_borders.c once more, as the frame pool ships.
 */
#include "frame_release.h"

#include "tests/host/test_frame_borders.c"
