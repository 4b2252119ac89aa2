"""Names, addresses and companies, drawn once from Faker; and the assortment's vocabulary."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np
from faker import Faker

from aisle.errors import ConfigError

ABROAD = ("en_CA", "en_GB", "de_DE", "fr_FR", "pl_PL")
MAIL_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com")  # reserved: nobody's mailbox
UNUSUAL = ("Zoë", "José", "Søren", "Łukasz", "Nguyễn", "D'Arcy", "Anne-Marie", 'Robert "Bob"', "李娜", "Müller, Jr.")
"""Given names that careless CSV readers stumble over."""

CATEGORIES: dict[str, dict[str, tuple[tuple[str, ...], int, int]]] = {
    "Office": {
        "Paper": (("Notebook", "Copy Paper", "Sticky Notes", "Index Cards", 'Envelope, 9" x 12"'), 199, 3_900),
        "Writing": (("Fountain Pen", "Gel Pen", "Marker Set", "Pencil, HB"), 99, 4_500),
        "Storage": (("File Box", "Binder", "Drawer Unit", "Letter Tray"), 499, 12_900),
    },
    "Electronics": {
        "Computers": (("Laptop", "Tablet", 'Monitor 27"', "Docking Station"), 9_900, 219_900),
        "Accessories": (("Mouse", "Keyboard", "USB-C Cable", "Headset", "Webcam"), 799, 19_900),
        "Audio": (("Speaker", "Earbuds", "Soundbar", "Turntable"), 1_999, 59_900),
    },
    "Furniture": {
        "Chairs": (("Desk Chair", "Stool", "Armchair, Oak", "Rocking Chair"), 3_900, 89_900),
        "Tables": (("Desk", "Side Table", "Dining Table", "Workbench"), 4_900, 129_900),
        "Lighting": (("Desk Lamp", "Floor Lamp", "LED Strip"), 1_299, 24_900),
    },
    "Kitchen": {
        "Cookware": (("Saucepan", "Skillet", 'Crêpe Pan 10"', "Stock Pot"), 1_499, 29_900),
        "Coffee": (("Espresso Machine", "Grinder", "Café Filter", "Kettle"), 599, 79_900),
        "Tableware": (("Dinner Plate", "Mug", "Carafe", "Bowl, Deep"), 399, 9_900),
    },
    "Sports": {
        "Outdoor": (("Tent", "Backpack", "Headlamp", "Camp Stove"), 1_499, 49_900),
        "Fitness": (("Kettlebell", "Yoga Mat", "Jump Rope", "Bench"), 899, 39_900),
    },
}
STYLES = ("Classic", "Compact", "Deluxe", "Eco", "Pro", "Slim", "Studio", "Urban", "Nordic", "Everyday", "Heritage")


T = TypeVar("T")


class Place(NamedTuple):
    """Where somebody can live: the four belong together."""

    city: str
    region: str
    postal_code: str
    country: str


@dataclass(frozen=True)
class Names:
    """Pools to draw from."""

    first: tuple[str, ...]
    last: tuple[str, ...]
    companies: tuple[str, ...]
    streets: tuple[str, ...]
    phones: tuple[str, ...]
    brands: tuple[str, ...]
    home: tuple[Place, ...]
    abroad: tuple[Place, ...]

    def person(self, rng: np.random.Generator) -> str:
        given = pick(rng, UNUSUAL) if rng.random() < 0.02 else pick(rng, self.first)
        return f"{given} {pick(rng, self.last)}"

    def place(self, rng: np.random.Generator) -> Place:
        return pick(rng, self.abroad) if rng.random() < 0.06 else pick(rng, self.home)


def pick(rng: np.random.Generator, pool: tuple[T, ...]) -> T:
    return pool[int(rng.integers(len(pool)))]


def mailbox(name: str, number: int, rng: np.random.Generator) -> str:
    """An e-mail address for this name, in a domain that is reserved for examples."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = ["".join(filter(str.isalnum, word)) for word in plain.split()]
    return f"{'.'.join(filter(None, words)) or 'customer'}{number}@{pick(rng, MAIL_DOMAINS)}"


@lru_cache(maxsize=4)
def draw(seed: int, locale: str) -> Names:
    """The pools of this seed and locale. Raises ConfigError for a locale that Faker does not know."""
    try:
        fake = Faker(locale)
    except (AttributeError, ModuleNotFoundError) as unknown:
        message = f"Faker has no locale {locale!r}, so the shop's people would have no names; try en_US or de_DE"
        raise ConfigError(message) from unknown
    fake.seed_instance(seed)
    return Names(
        first=tuple(fake.first_name() for _ in range(1_500)),
        last=tuple(fake.last_name() for _ in range(1_500)),
        companies=tuple(fake.company() for _ in range(1_500)),
        streets=tuple(fake.street_address().replace("\n", ", ") for _ in range(2_000)),
        phones=tuple(fake.phone_number() for _ in range(2_000)),
        brands=tuple(f"{fake.last_name()} {ending}" for ending in ("& Sons", "Works", "Co.", "Lab") for _ in range(15)),
        home=_places(fake, 600),
        abroad=tuple(place for other in ABROAD if other != locale for place in _places(_seeded(other, seed), 20)),
    )


def _seeded(locale: str, seed: int) -> Faker:
    fake = Faker(locale)
    fake.seed_instance(seed)
    return fake


def _places(fake: Faker, count: int) -> tuple[Place, ...]:
    country = fake.current_country()
    if hasattr(fake, "zipcode_in_state"):  # the United States: a ZIP code that lies in its state
        regions = [fake.state_abbr(include_territories=False) for _ in range(count)]
        return tuple(Place(fake.city(), region, fake.zipcode_in_state(region), country) for region in regions)
    kinds = ("administrative_unit", "state", "province", "region", "county")
    region_of = next((getattr(fake, kind) for kind in kinds if hasattr(fake, kind)), fake.city)
    return tuple(Place(fake.city(), region_of(), fake.postcode(), country) for _ in range(count))
