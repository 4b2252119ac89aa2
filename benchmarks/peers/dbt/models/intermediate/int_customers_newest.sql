-- Each customer's newest state, as a table of the CRM would have it; what is older than that changes nothing.
{{
    config(
        incremental_strategy='merge',
        unique_key='customer_id',
        merge_update_condition='DBT_INTERNAL_SOURCE.updated_at >= DBT_INTERNAL_DEST.updated_at'
    )
}}

select *
from {{ ref('stg_customers') }}
qualify row_number() over (partition by customer_id order by updated_at desc) = 1
