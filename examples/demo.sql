-- Five questions to the warehouse of the demo, in SQL that DuckDB, PostgreSQL and Redshift share.

-- 1. What did each category earn: by the category that a product had when it was sold (as was), and by the one
--    that it has now (as is)? They differ where a product was moved to another category.
select
    coalesce(was.category, now_is.category, '(not known)') as category,
    was.revenue as revenue_as_was,
    now_is.revenue as revenue_as_is,
    now_is.revenue - was.revenue as moved
from (select product_category as category, sum(net_amount) as revenue from fact_sales_as_was group by 1) was
full join (select product_category as category, sum(net_amount) as revenue from fact_sales_as_is group by 1) now_is
    on coalesce(now_is.category, '') = coalesce(was.category, '')
order by revenue_as_was desc;

-- 2. What came in each month, and what was left of it? By the shop's local day, so the first evening of
--    January in UTC is still December; without what was cancelled or came back.
select
    order_date_year as year,
    order_date_month as month,
    count(distinct order_id) as orders,
    sum(net_amount) as revenue,
    sum(margin_amount) as margin,
    round(100.0 * sum(margin_amount) / sum(net_amount), 1) as margin_percent
from fact_sales_as_was
where status in ('placed', 'shipped')
group by 1, 2
order by 1, 2;

-- 3. Which products sell most?
select
    product_id,
    product_name as name,
    sum(quantity) as pieces,
    sum(net_amount) as revenue,
    sum(margin_amount) as margin
from fact_sales_as_is
group by 1, 2
order by revenue desc
limit 10;

-- 4. Who buys? Revenue by the segment that a customer had at the time of the order, and has now.
select
    coalesce(customer_segment, '(not known)') as segment_then,
    coalesce(customer_current_segment, '(not known)') as segment_now,
    count(distinct customer_id) as customers,
    sum(net_amount) as revenue
from fact_sales_as_was
group by 1, 2
order by 1, 2;

-- 5. What is the history of the customer with the most versions, and what was ordered in each?
select
    c.version,
    c.segment,
    c.city,
    c.valid_from,
    c.valid_to,
    c.is_deleted as deleted,
    count(distinct f.order_id) as orders,
    sum(f.net_amount) as revenue
from dim_customer c
left join fact_sales f on f.customer_key = c.customer_key
where c.customer_id = (
    select customer_id from dim_customer where customer_key <> -1 order by version desc, customer_id limit 1
)
group by 1, 2, 3, 4, 5, 6
order by 1;
