sqlite3 /tmp/shop.db < /home/job.sql
