-- The newest header of each order.
{{
    config(
        incremental_strategy='merge',
        unique_key='order_id',
        merge_update_condition='DBT_INTERNAL_SOURCE.updated_at >= DBT_INTERNAL_DEST.updated_at'
    )
}}

select *
from {{ ref('stg_orders') }}
qualify row_number() over (partition by order_id order by updated_at desc) = 1
