-- Versions of products. What is not tracked is as it is now.
select
    hash(versions.product_id, versions.dbt_valid_from) as product_key,
    versions.product_id,
    newest.name,
    newest.brand,
    versions.category,
    versions.subcategory,
    versions.list_price,
    versions.unit_cost,
    newest.launched_on,
    case
        when row_number() over by_time = 1 then timestamp '1900-01-01'
        else versions.dbt_valid_from
    end as valid_from,
    coalesce(versions.dbt_valid_to, timestamp '9999-12-31') as valid_to,
    versions.dbt_valid_to is null as is_current,
    versions.is_deleted,
    row_number() over by_time as version
from {{ ref('product_versions') }} as versions
inner join {{ ref('int_products_newest') }} as newest on versions.product_id = newest.product_id
window by_time as (partition by versions.product_id order by versions.dbt_valid_from)
