-- Questions to the warehouse of The Complete Journey. Each stands alone, in SQL that DuckDB,
-- PostgreSQL and Redshift share. No comment holds a semicolon, so the file may be split at them.
-- The answers of 0a to 0c are known from the wheel itself: expected.json.


-- 0a. Did every receipt line arrive, to the cent?
--     1,469,307 lines, 155,848 baskets, quantity 152,923,108, sales 4,596,039.58, retail discount 791,650.64,
--     coupon discount 26,359.90, coupon match 4,542.65.
select
    count(*) as lines,
    count(distinct basket_id) as baskets,
    sum(quantity) as quantity,
    sum(sales_value) as sales_value,
    sum(retail_disc) as retail_disc,
    sum(coupon_disc) as coupon_disc,
    sum(coupon_match_disc) as coupon_match_disc
from fact_sales;


-- 0b. Who is known, and who is known only by buying?
--     801 households delivered, 1,668 inferred, 92,331 products, 17 inferred, 457 stores, 27 campaigns.
--     The unknown member (-1) of each dimension is left out.
select
    'household' as dimension,
    sum(case when is_inferred then 0 else 1 end) as delivered,
    sum(case when is_inferred then 1 else 0 end) as inferred
from dim_household where household_key <> -1
union all
select 'product', sum(case when is_inferred then 0 else 1 end), sum(case when is_inferred then 1 else 0 end)
from dim_product where product_key <> -1
union all
select 'store', sum(case when is_inferred then 0 else 1 end), sum(case when is_inferred then 1 else 0 end)
from dim_store where store_key <> -1
union all
select 'campaign', sum(case when is_inferred then 0 else 1 end), sum(case when is_inferred then 1 else 0 end)
from dim_campaign where campaign_key <> -1
order by dimension;


-- 0c. What was sold in each month? By the shop's day: the evening of 31 December is not next year.
--     12 months, none of 2018.
select
    d.year,
    d.month,
    count(*) as lines,
    sum(f.quantity) as quantity,
    sum(f.sales_value) as sales_value
from fact_sales f
join dim_date d on d.date_key = f.transaction_date_key
group by d.year, d.month
order by d.year, d.month;


-- 1. Which departments carry the shop, and how strong is its own brand in each?
--    Do not compare their quantities: fuel, counted in tiny units, is nearly all of the total.
select
    p.department,
    sum(f.sales_value) as sales_value,
    sum(f.quantity) as quantity,
    round(100.0 * sum(case when p.brand = 'Private' then f.sales_value else 0 end) / sum(f.sales_value), 1)
        as own_brand_percent
from fact_sales f
join dim_product p on p.product_key = f.product_key
where p.product_key <> -1 and not p.is_inferred
group by p.department
having sum(f.sales_value) >= 10000
order by sales_value desc;


-- 2. What does a household of each income spend in the year, and on how many visits?
--    The last row is everybody of whom the shop knows nothing.
select
    coalesce(h.income, '(unknown)') as income,
    count(distinct h.household_id) as households,
    sum(f.sales_value) as sales_value,
    round(sum(f.sales_value) / count(distinct h.household_id), 2) as spent_by_household,
    round(1.0 * count(distinct f.basket_id) / count(distinct h.household_id), 1) as visits_by_household
from fact_sales f
join dim_household h on h.household_key = f.household_key
group by h.income
order by case when h.income is null then 1 else 0 end, spent_by_household desc;


-- 3. On which weekday are baskets large?
--    A basket is a degenerate dimension: it has no table, but is counted all the same.
select
    d.day_of_week,
    d.day_name,
    count(distinct f.basket_id) as baskets,
    round(sum(f.sales_value) / count(distinct f.basket_id), 2) as sales_by_basket
from fact_sales f
join dim_date d on d.date_key = f.transaction_date_key
group by d.day_of_week, d.day_name
order by d.day_of_week;


-- 4. Which campaigns made households redeem coupons?
--    From the dimension outwards, so that the campaign that nobody answered (24) shows too.
select
    c.campaign_id,
    c.campaign_type,
    c.start_date,
    c.end_date,
    count(f.coupon_upc) as redemptions,
    count(distinct f.household_id) as households
from dim_campaign c
left join fact_coupon_redemption f on f.campaign_key = c.campaign_key
where c.campaign_key <> -1
group by c.campaign_id, c.campaign_type, c.start_date, c.end_date
order by redemptions desc, c.campaign_id;


-- 5. How much is given away: what part of the shelf price does each kind of discount take, month by month?
--    Shelf price = what the shop receives + its card discount + its match of coupons. A manufacturer pays
--    for its coupon, so that coupon is part of what the shop receives.
select
    d.month,
    sum(f.sales_value + f.retail_disc + f.coupon_match_disc) as shelf_value,
    round(100.0 * sum(f.retail_disc) / sum(f.sales_value + f.retail_disc + f.coupon_match_disc), 2) as card_percent,
    round(100.0 * sum(f.coupon_match_disc) / sum(f.sales_value + f.retail_disc + f.coupon_match_disc), 2) as match_percent,
    round(100.0 * sum(f.coupon_disc) / sum(f.sales_value + f.retail_disc + f.coupon_match_disc), 2) as coupon_percent
from fact_sales f
join dim_date d on d.date_key = f.transaction_date_key
group by d.month
order by d.month;


-- 6. Do households that redeem campaign coupons buy more?
--    Drilling across: each fact is summed by household on its own, then both meet at the conformed dimension.
--    Joining the two facts directly would count every sale once for each coupon.
with bought as (
    select h.household_id, sum(f.sales_value) as sales_value, count(distinct f.basket_id) as baskets
    from fact_sales f
    join dim_household h on h.household_key = f.household_key
    group by h.household_id
),
redeemed as (
    select h.household_id, count(*) as coupons
    from fact_coupon_redemption f
    join dim_household h on h.household_key = f.household_key
    group by h.household_id
)
select
    case when r.coupons is null then 'none' when r.coupons < 5 then '1 to 4' else '5 or more' end as coupons_redeemed,
    count(*) as households,
    round(sum(b.sales_value) / count(*), 2) as spent_by_household,
    round(1.0 * sum(b.baskets) / count(*), 1) as visits_by_household
from bought b
left join redeemed r on r.household_id = b.household_id
group by 1
order by households desc;
