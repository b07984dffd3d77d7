"""The products bought most, counted from orders a set at a time; shown where nothing better is known."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection, transaction

from channels.models import BestSeller

MOST = 12
WINDOW = timedelta(days=30)
_SHOWN = ("name", "price", "url", "image", "image_url", "category", "brand", "sku", "product_id")
_SECONDS = 60


def load() -> list[dict[str, Any]]:
    """The products, the most bought first. One statement."""
    return list(BestSeller.objects.order_by("rank").values_list("product", flat=True))


def count(now: datetime) -> int:
    """Count the orders of the last month anew; returns how many products the list has. Three statements."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{_SECONDS}s"])
            cursor.execute(_COUNT, [now - WINDOW, now, MOST])
            rows = cursor.fetchall()
        BestSeller.objects.all().delete()
        BestSeller.objects.bulk_create(
            BestSeller(rank=rank, product=_shown(told), sold=sold, computed_at=now)
            for rank, (sold, told) in enumerate(rows, 1)
        )
    return len(rows)


def _shown(told: Any) -> dict[str, Any]:
    product = msgspec.json.decode(told) if isinstance(told, str) else told
    return {name: product[name] for name in _SHOWN if isinstance(product.get(name), str | int | float)}


# The same product under one key: its own id, else its number in stock, else its name.
_COUNT = """
SELECT sum(sold) AS sold, (array_agg(product ORDER BY at DESC))[1]::text
FROM (
    SELECT e.occurred_at AS at, p.product,
           coalesce(p.product ->> 'product_id', p.product ->> 'sku', p.product ->> 'name') AS key,
           CASE WHEN jsonb_typeof(p.product -> 'quantity') = 'number'
                THEN greatest((p.product ->> 'quantity')::float8, 0) ELSE 1 END AS sold
    FROM contacts_event e
    CROSS JOIN LATERAL jsonb_array_elements(
        CASE WHEN jsonb_typeof(e.properties -> 'products') = 'array'
             THEN e.properties -> 'products' ELSE '[]' END) AS p(product)
    WHERE e.name = 'Order Completed' AND e.occurred_at > %s AND e.occurred_at <= %s
      AND jsonb_typeof(p.product) = 'object' AND p.product ->> 'name' <> ''
) AS bought
WHERE key IS NOT NULL
GROUP BY key
ORDER BY sold DESC, key
LIMIT %s
"""
