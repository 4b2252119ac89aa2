select
    product_id,
    name,
    brand,
    category,
    subcategory,
    list_price,
    unit_cost,
    launched_on,
    op = 'D' as is_deleted,
    updated_at,
    '{{ env_var("SHOP_BATCH") }}' as batch
from {{ source('shop', 'products') }}
