/*
 * test_frame_history_release.c - test_frame_history.c once more, as the frame pool ships.
 */
#include "frame_release.h"

#include "tests/host/test_frame_history.c"
