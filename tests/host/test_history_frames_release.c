/*
 * test_history_frames_release.c - test_history_frames.c once more, as the frame pool ships.
 */
#include "frame_release.h"

#include "tests/host/test_history_frames.c"
