exec lua5.4 /home/job.lua
