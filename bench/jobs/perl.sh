exec perl /work/job.pl
