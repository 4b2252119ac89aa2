-- Versions of customers, of all changes, by when they happened. What is not tracked is as it is now.
with changes as (

    select
        *,
        lag(row(segment, city, region, country, is_deleted)) over by_time
        is distinct from row(segment, city, region, country, is_deleted) as is_version
    from {{ ref('int_customer_changes') }}
    window by_time as (partition by customer_id order by updated_at)

),

newest as (

    select *
    from changes
    qualify row_number() over (partition by customer_id order by updated_at desc) = 1

),

versions as (

    select
        customer_id,
        segment,
        city,
        region,
        country,
        is_deleted,
        updated_at,
        lead(updated_at) over by_time as next_at,
        row_number() over by_time as version
    from changes
    where is_version
    window by_time as (partition by customer_id order by updated_at)

)

select
    hash(versions.customer_id, versions.updated_at) as customer_key,
    versions.customer_id,
    newest.name,
    newest.email,
    newest.phone,
    newest.company,
    versions.segment,
    newest.street,
    versions.city,
    versions.region,
    newest.postal_code,
    versions.country,
    newest.registered_at,
    case when versions.version = 1 then timestamp '1900-01-01' else versions.updated_at end as valid_from,
    coalesce(versions.next_at, timestamp '9999-12-31') as valid_to,
    versions.next_at is null as is_current,
    versions.is_deleted,
    versions.version
from versions
inner join newest on versions.customer_id = newest.customer_id
