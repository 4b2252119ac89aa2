-- All lines of orders; those of a batch that is taken again are replaced.
{{ config(incremental_strategy='delete+insert', unique_key='batch') }}

select *
from {{ ref('stg_order_items') }}
