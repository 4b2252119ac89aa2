select
    order_id,
    customer_id,
    channel,
    status,
    ordered_at,
    cast(
        strftime(timezone('America/New_York', timezone('UTC', ordered_at)), '%Y%m%d') as integer
    ) as order_date_key,
    updated_at,
    '{{ env_var("SHOP_BATCH") }}' as batch
from {{ source('shop', 'orders') }}
