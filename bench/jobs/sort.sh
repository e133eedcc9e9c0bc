# A job for sort: 100 MB of lines, in memory of 64 MB and so with parts in files.
sort -S 64M -o /tmp/sorted /home/lines
head -n 2 /tmp/sorted
tail -n 2 /tmp/sorted
