"""Makes the price table anew: `python -m tests.price_table > appliance/model/prices.json`."""

from __future__ import annotations

from tests.price_table.make import price_table

print(price_table(), end="")
