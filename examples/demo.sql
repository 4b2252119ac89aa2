-- Five questions to the warehouse of the demo, in SQL that DuckDB, PostgreSQL and Redshift share.

-- 1. What did each category earn: by the category a product had when it was sold, and by the one it has now?
--    They differ where products were moved from one category to another.
with was as (
    select p.category, sum(f.net_amount) as revenue
    from fact_sales f
    join dim_product p on p.product_key = f.product_key
    group by p.category
),
now_is as (
    select n.category, sum(f.net_amount) as revenue
    from fact_sales f
    join dim_product p on p.product_key = f.product_key
    join dim_product n on n.product_id = p.product_id and n.is_current
    group by n.category
)
select
    coalesce(was.category, now_is.category) as category,
    was.revenue as as_it_was,
    now_is.revenue as as_it_is,
    now_is.revenue - was.revenue as moved
from was
full join now_is on now_is.category = was.category
order by as_it_was desc;

-- 2. What came in, and what was left of it, month by month? By the shop's local day; without what was cancelled or came back.
select
    d.year,
    d.month,
    count(distinct f.order_id) as orders,
    sum(f.net_amount) as revenue,
    sum(f.margin_amount) as margin,
    round(100.0 * sum(f.margin_amount) / sum(f.net_amount), 1) as margin_percent
from fact_sales f
join dim_date d on d.date_key = f.order_date_key
where f.status in ('placed', 'shipped')
group by d.year, d.month
order by d.year, d.month;

-- 3. Which ten products sell most?
select
    p.product_id,
    n.name,
    sum(f.quantity) as pieces,
    sum(f.net_amount) as revenue,
    count(distinct f.unit_price) as prices
from fact_sales f
join dim_product p on p.product_key = f.product_key
join dim_product n on n.product_id = p.product_id and n.is_current
group by p.product_id, n.name
order by revenue desc
limit 10;

-- 4. Who buys: the segment of a customer on the day of the order (down), and the segment now (across)?
select
    coalesce(c.segment, '(not known)') as segment_then,
    sum(case when c.current_segment = 'Consumer' then f.net_amount else 0 end) as consumer_now,
    sum(case when c.current_segment = 'Corporate' then f.net_amount else 0 end) as corporate_now,
    sum(case when c.current_segment = 'Home Office' then f.net_amount else 0 end) as home_office_now,
    sum(case when c.current_segment is null then f.net_amount else 0 end) as not_known_now
from fact_sales f
join dim_customer c on c.customer_key = f.customer_key
group by c.segment
order by segment_then;

-- 5. What is the history of the customer with the most versions, and what was bought in each?
select
    c.version,
    c.segment,
    c.city,
    c.valid_from,
    c.valid_to,
    c.is_deleted,
    count(distinct f.order_id) as orders,
    sum(f.net_amount) as revenue
from dim_customer c
left join fact_sales f on f.customer_key = c.customer_key
where c.customer_id = (
    select customer_id from dim_customer where customer_key <> -1 order by version desc, customer_id limit 1
)
group by c.version, c.segment, c.city, c.valid_from, c.valid_to, c.is_deleted
order by c.version;
