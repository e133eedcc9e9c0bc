exec perl /home/job.pl
