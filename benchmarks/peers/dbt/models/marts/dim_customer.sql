-- Versions of customers. What is not tracked is as it is now.
select
    hash(versions.customer_id, versions.dbt_valid_from) as customer_key,
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
    case
        when row_number() over by_time = 1 then timestamp '1900-01-01'
        else versions.dbt_valid_from
    end as valid_from,
    coalesce(versions.dbt_valid_to, timestamp '9999-12-31') as valid_to,
    versions.dbt_valid_to is null as is_current,
    versions.is_deleted,
    row_number() over by_time as version
from {{ ref('customer_versions') }} as versions
inner join {{ ref('int_customers_newest') }} as newest on versions.customer_id = newest.customer_id
window by_time as (partition by versions.customer_id order by versions.dbt_valid_from)
