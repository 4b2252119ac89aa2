-- Each product's newest state, as a table of the catalogue would have it; what is older than that changes nothing.
{{
    config(
        incremental_strategy='merge',
        unique_key='product_id',
        merge_update_condition='DBT_INTERNAL_SOURCE.updated_at >= DBT_INTERNAL_DEST.updated_at'
    )
}}

select *
from {{ ref('stg_products') }}
qualify row_number() over (partition by product_id order by updated_at desc) = 1
