"""Where people ask: the star in a warehouse, loaded release by release."""

from aisle.warehouses.open import open_warehouse, shown
from aisle.warehouses.port import Answer, Loaded, Moved
from aisle.warehouses.warehouse import Warehouse

__all__ = ["Answer", "Loaded", "Moved", "Warehouse", "open_warehouse", "shown"]
