/*
 * test_frame_runs_release.c - test_frame_runs.c once more, as the frame pool ships.
 */
#include "frame_release.h"

#include "tests/host/test_frame_runs.c"
