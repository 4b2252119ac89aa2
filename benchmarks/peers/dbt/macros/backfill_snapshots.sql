{#
    Once, before the first snapshot: what snapshots would hold, had they been taken after every change of the history.
    `dbt run-operation backfill_snapshots`. The snapshots find their tables there and go on from them.
#}
{% macro backfill_snapshots() %}
    {% do backfill_snapshot('customer_versions', history=ref('stg_customers')) %}
    {% do backfill_snapshot('product_versions', history=ref('stg_products')) %}
{% endmacro %}


{% macro backfill_snapshot(name, history) %}
    {% set snapshot = ref(name) %}
    {% set config = graph.nodes['snapshot.' ~ project_name ~ '.' ~ name].config %}
    {% set key = config.unique_key %}
    {% set tracked = config.check_cols | join(', ') %}

    {% do adapter.create_schema(snapshot) %}
    {% set create %}
        create table {{ snapshot }} as
        with changes as (

            select
                *,
                lag(row({{ tracked }})) over by_time is distinct from row({{ tracked }}) as is_version
            from {{ history }}
            window by_time as (partition by {{ key }} order by updated_at)

        )

        select
            * exclude (is_version),
            {{ snapshot_hash_arguments([key, 'updated_at']) }} as dbt_scd_id,
            updated_at as dbt_updated_at,
            updated_at as dbt_valid_from,
            lead(updated_at) over (partition by {{ key }} order by updated_at) as dbt_valid_to
        from changes
        where is_version
    {% endset %}
    {% do run_query(create) %}
{% endmacro %}
