exec python3 -S /work/job.py
