-- Versions of products, of all changes, by when they happened. What is not tracked is as it is now.
with changes as (

    select
        *,
        lag(row(category, subcategory, list_price, unit_cost, is_deleted)) over by_time
        is distinct from row(category, subcategory, list_price, unit_cost, is_deleted) as is_version
    from {{ ref('int_product_changes') }}
    window by_time as (partition by product_id order by updated_at)

),

newest as (

    select *
    from changes
    qualify row_number() over (partition by product_id order by updated_at desc) = 1

),

versions as (

    select
        product_id,
        category,
        subcategory,
        list_price,
        unit_cost,
        is_deleted,
        updated_at,
        lead(updated_at) over by_time as next_at,
        row_number() over by_time as version
    from changes
    where is_version
    window by_time as (partition by product_id order by updated_at)

)

select
    hash(versions.product_id, versions.updated_at) as product_key,
    versions.product_id,
    newest.name,
    newest.brand,
    versions.category,
    versions.subcategory,
    versions.list_price,
    versions.unit_cost,
    newest.launched_on,
    case when versions.version = 1 then timestamp '1900-01-01' else versions.updated_at end as valid_from,
    coalesce(versions.next_at, timestamp '9999-12-31') as valid_to,
    versions.next_at is null as is_current,
    versions.is_deleted,
    versions.version
from versions
inner join newest on versions.product_id = newest.product_id
