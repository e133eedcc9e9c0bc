exec python3 -S /home/job.py
