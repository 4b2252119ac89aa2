select
    customer_id,
    name,
    email,
    phone,
    company,
    segment,
    street,
    city,
    region,
    postal_code,
    country,
    registered_at,
    op = 'D' as is_deleted,
    updated_at,
    '{{ env_var("SHOP_BATCH") }}' as batch
from {{ source('shop', 'customers') }}
