-- Revenue by month, and by the segment that the customer was in then.
select strftime(sold_at, '%B') as month, customer_segment as segment, sum(amount) as revenue
from fact_sales_as_was group by all order by min(sold_at);
