/*
 * still.c - a clock that stands still, for a tool that writes the time into what it makes: with LD_PRELOAD time(2) says
 * $SOURCE_DATE_EPOCH. grub-mkrescue takes the volume's name from it, and has no option for another.
 */
#include <stdlib.h>
#include <time.h>

time_t time(time_t *out)
{
    const char *said = getenv("SOURCE_DATE_EPOCH");
    time_t now = said != NULL ? (time_t)strtoll(said, NULL, 10) : 0;

    if (out != NULL)
        *out = now;
    return now;
}
