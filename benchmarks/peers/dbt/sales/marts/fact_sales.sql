-- Lines of orders with their headers, and with the versions of customer and product at the time of the order. A run takes the
-- orders of its batch, new or changed, and those of the last days.
{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key=['order_id', 'line_number']
    )
}}

with orders as (

    select *
    from {{ ref('int_orders_newest') }}
    {% if is_incremental() %}
    where
        batch = '{{ env_var("SHOP_BATCH") }}'
        or order_id in (
            select order_id
            from {{ ref('int_order_items_all') }}
            where batch = '{{ env_var("SHOP_BATCH") }}'
        )
        or ordered_at >= (
            select max(ordered_at) - interval '{{ var("lookback_days") }} days'
            from {{ this }}
        )
    {% endif %}

)

select
    lines.order_id,
    lines.line_number,
    coalesce(customers.customer_key, 0) as customer_key,
    coalesce(products.product_key, 0) as product_key,
    orders.order_date_key,
    orders.channel,
    orders.status,
    orders.ordered_at,
    lines.quantity,
    lines.unit_price,
    lines.discount,
    lines.gross_amount,
    lines.net_amount,
    lines.cost_amount,
    lines.net_amount - lines.cost_amount as margin_amount
from {{ ref('int_order_items_all') }} as lines
inner join orders on lines.order_id = orders.order_id
left join {{ ref('dim_customer') }} as customers
    on
        orders.customer_id = customers.customer_id
        and orders.ordered_at >= customers.valid_from
        and orders.ordered_at < customers.valid_to
left join {{ ref('dim_product') }} as products
    on
        lines.product_id = products.product_id
        and orders.ordered_at >= products.valid_from
        and orders.ordered_at < products.valid_to
