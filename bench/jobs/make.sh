# A job for make: a program of twenty-five files, two at a time, and what it then says.
set -e
make -s -j2 -f job.mk
./draw layout.md
cksum draw
