# A database in memory: a table, an index of it, sums, and rows that change.
sqlite3 :memory: < /home/rows.sql
