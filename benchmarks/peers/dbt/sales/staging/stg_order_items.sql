select
    order_id,
    line_number,
    product_id,
    quantity,
    unit_price,
    discount,
    cast(quantity * unit_price as decimal(18, 2)) as gross_amount,
    cast(quantity * unit_price * (1 - discount) as decimal(18, 2)) as net_amount,
    cast(quantity * unit_cost as decimal(18, 2)) as cost_amount,
    '{{ env_var("SHOP_BATCH") }}' as batch
from {{ source('shop', 'order_items') }}
