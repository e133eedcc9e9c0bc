-- A job for SQLite: a table filled, indexed, asked and changed, in a file.
create table sale (id integer primary key, buyer text, item integer, price integer, note text);
begin;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 40000)
insert into sale select i, 'buyer ' || (i * 7919 % 1009), i * 104729 % 499, i * 31 % 1000, 'note of sale ' || i from n;
commit;
create index by_buyer on sale(buyer);
create index by_item on sale(item, price);
select count(*), sum(price), count(distinct buyer) from sale;
select buyer, sum(price) as spent from sale group by buyer order by spent desc, buyer limit 5;
select a.item, count(*) from sale a join sale b on a.item = b.item and a.price < b.price group by a.item
    order by 2 desc, 1 limit 5;
update sale set price = price + 5 where item % 7 = 3;
insert into sale(buyer, item, price) values ('late', 1, 1);
insert into sale(buyer, item, price) values ('later', 2, 2);
delete from sale where id % 10 = 0;
vacuum;
select count(*), sum(price) from sale where buyer like 'buyer 1%';
pragma integrity_check;
