exec lua5.4 /work/job.lua
