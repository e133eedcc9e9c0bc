-- 20 000 rows in a file, indexed, changed, counted.
create table item (id integer primary key, name text, size real, part integer);
begin;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
insert into item select i, printf('item-%06d', i * 7919 % 20000), (i * 31 % 1000) / 8.0, i % 97 from n;
commit;
create index by_name on item(name);
select count(*), sum(size), min(name), max(name) from item;
select part, count(*), round(avg(size), 3) from item group by part order by part limit 5;
select id from item where name = 'item-004242';
update item set size = size + 1 where part = 13;
delete from item where id % 10 = 3;
select count(*), round(sum(size), 2) from item;
select a.name from item a join item b on a.id = b.id + 1 where b.part = 50 and a.size > 120 order by a.name limit 3;
pragma integrity_check;
pragma journal_mode;
vacuum;
select page_count > 200 from pragma_page_count;
select upper(hex(randomblob(4))) glob '[0-9A-F]*', length(zeroblob(100000));
