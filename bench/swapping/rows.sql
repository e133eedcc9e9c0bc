pragma cache_size = -400000;
pragma temp_store = memory;
create table goods (id integer primary key, code integer, name text, price integer);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1500000)
insert into goods
select i, i * 7919 % 1500007,
    'a thing that is sold under the number ' || (i * 31 % 1009) || ', and known by it', i % 997 from n;
create index by_code on goods (code);
create index by_price on goods (price, code);
select count(*), sum(price), max(code) from goods;
select count(*), sum(id) from goods
where code % 15 = 3 and id in (select id from goods where code between 100000 and 130000);
update goods set price = price + 1 where code between 700000 and 730000;
select sum(price), sum(length(name)) from goods;
select price, count(*) from goods where price in (3, 500, 990) group by price;
