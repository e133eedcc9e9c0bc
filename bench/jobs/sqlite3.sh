sqlite3 /tmp/shop.db < /work/job.sql
