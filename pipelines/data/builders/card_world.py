"""A simulated world of cards: customers with habits, terminals with places, weeks with a rhythm; four kinds of fraud.

All of it is drawn from one seed. `simulate` tells the story in the order in which it happens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

DAYS, CUSTOMERS, TERMINALS = 180, 450, 300
REGIONS = {"capital": (50.0, 50.0), "coast": (15.0, 75.0), "hills": (80.0, 80.0), "south": (60.0, 15.0)}
"""Where each region's centre lies, in km on a plane of 100 by 100."""

AGE_BANDS = ("18-29", "30-44", "45-59", "60 and over")
KINDS = ("genuine", "terminal", "stolen", "takeover", "testing")
FAVOURITES = 9
CHANGES = 45
"""Days after which one in three of a customer's favourite terminals is another."""

DAY_SECONDS = 86400


@dataclass(frozen=True)
class Events:
    """n transactions: who (customer), where (terminal), when (seconds from the first midnight), how much, and what it
    was (position in `KINDS`)."""

    customer: Codes
    terminal: Codes
    second: Codes
    amount: Floats
    kind: Codes

    def joined(self, *others: Events) -> Events:
        """These and others, in the order of their moments."""
        parts = (self, *others)
        whole = {name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(self)}
        order = np.lexsort((whole["terminal"], whole["customer"], whole["second"]))
        return Events(**{name: values[order] for name, values in whole.items()})


@dataclass(frozen=True)
class World:
    """Those who take part.

    Args:
        region, age: (customers,) position in `REGIONS`, `AGE_BANDS`.
        home: (customers, 2) km.
        usual: (customers,) median amount; `spread` the standard deviation of its logarithm.
        rate: (customers,) transactions a day.
        hour: (customers,) the middle of the customer's day of shopping.
        favourites: (customers, periods, FAVOURITES) terminals in each period of `CHANGES` days.
        place: (terminals, 2) km; `level` (terminals,) how dear it is, 1 is usual; `busy` how often strangers come by.
    """

    region: Codes
    age: Codes
    home: Floats
    usual: Floats
    spread: Floats
    rate: Floats
    hour: Floats
    favourites: Codes
    place: Floats
    level: Floats
    busy: Floats


def simulate(seed: int) -> dict[str, Floats]:
    """Half a year of card transactions in the order of their moments, as columns of numbers: see `Events`; `x` and `y`
    are the terminal's place, `age_band` and `region` positions in `AGE_BANDS` and `REGIONS`."""
    rng = np.random.default_rng(seed)
    world = _world(rng)
    events = _genuine(world, rng)
    events = _skimmed(events, rng)
    events = events.joined(_stolen(world, rng), _taken_over(world, rng), _tested(world, events, rng))
    found = {
        "customer": events.customer,
        "terminal": events.terminal,
        "time": events.second,
        "amount": np.round(events.amount, 2),
        "x": np.round(world.place[events.terminal, 0], 2),
        "y": np.round(world.place[events.terminal, 1], 2),
        "age_band": world.age[events.customer],
        "region": world.region[events.customer],
        "kind": events.kind,
    }
    return {name: values.astype(np.float64) for name, values in found.items()}


def _world(rng: np.random.Generator) -> World:
    centres = np.array(list(REGIONS.values()))
    region = rng.choice(len(centres), CUSTOMERS, p=[0.4, 0.25, 0.15, 0.2])
    age = rng.choice(len(AGE_BANDS), CUSTOMERS, p=[0.22, 0.3, 0.26, 0.22])
    home = centres[region] + rng.normal(0, 7, (CUSTOMERS, 2))
    place = centres[rng.choice(len(centres), TERMINALS, p=[0.4, 0.25, 0.15, 0.2])] + rng.normal(0, 8, (TERMINALS, 2))
    busy = 1 / np.arange(1, TERMINALS + 1) ** 0.6
    rng.shuffle(busy)
    away = np.linalg.norm(home[:, None] - place[None], axis=2)
    near = busy * np.exp(-away / 6)
    periods = -(-DAYS // CHANGES)
    favourites = np.stack([rng.choice(TERMINALS, FAVOURITES, False, each / each.sum()) for each in near])
    kept = np.repeat(favourites[:, None], periods, axis=1)
    for period in range(1, periods):
        kept[:, period] = kept[:, period - 1]
        other = np.stack([rng.choice(TERMINALS, FAVOURITES, p=each / each.sum()) for each in near])
        kept[:, period] = np.where(rng.random(kept[:, period].shape) < 1 / 3, other, kept[:, period])
    return World(
        region=region,
        age=age,
        home=home,
        usual=np.exp(rng.normal(3.1, 0.45, CUSTOMERS) + 0.1 * age),
        spread=rng.uniform(0.3, 0.8, CUSTOMERS),
        rate=np.exp(rng.normal(-0.2, 0.45, CUSTOMERS) - 0.08 * age),
        hour=rng.normal(14, 2.5, CUSTOMERS) - 0.5 * age,
        favourites=kept,
        place=place,
        level=np.exp(rng.normal(0, 0.45, TERMINALS)),
        busy=busy,
    )


def _genuine(world: World, rng: np.random.Generator) -> Events:
    """What customers do themselves: more on Fridays and Saturdays and after the payday, now and then a day of shopping,
    now and then a journey; over the half year prices rise by 8 % and nights grow longer."""
    day = np.arange(DAYS)
    week = np.array([0.9, 0.85, 0.9, 1.0, 1.25, 1.4, 0.7])[day % 7]
    month = 1 + 0.25 * np.exp(-(day % 30) / 5)
    mean = world.rate[:, None] * week * month * np.exp(rng.normal(0, 0.3, (CUSTOMERS, DAYS)))
    counts = rng.poisson(mean)
    counts += (rng.random((CUSTOMERS, DAYS)) < 0.008) * rng.integers(3, 9, (CUSTOMERS, DAYS))
    customer, when = (np.repeat(each.ravel(), counts.ravel()) for each in np.indices(counts.shape))
    slot = rng.choice(FAVOURITES, len(customer), p=_zipf(FAVOURITES))
    terminal = world.favourites[customer, when // CHANGES, slot]
    strange = rng.random(len(customer)) < 0.06
    terminal[strange] = _anywhere(world, strange.sum(), rng)
    away = _journeys(rng)[customer, when]
    abroad = away >= 0
    terminal[abroad] = _around(world, np.array(list(REGIONS.values()))[away[abroad]], rng)
    dear = 1 + 0.08 * when / DAYS
    amount = world.usual[customer] * world.level[terminal] * dear
    amount *= np.exp(rng.normal(0, world.spread[customer])) * np.where(abroad, 1.3, 1.0)
    hour = rng.normal(world.hour[customer], 3.2)
    late = rng.random(len(customer)) < 0.06 + 0.06 * when / DAYS
    hour = np.where(late, rng.uniform(0, 24, len(customer)), hour) % 24
    kind = np.zeros(len(customer), np.int64)
    return Events(customer, terminal, _second(when, hour), np.maximum(amount, 0.5), kind).joined()


def _journeys(rng: np.random.Generator) -> Codes:
    """(customers, days) the region in which a customer is on a journey, -1 at home; every other one makes one."""
    found = np.full((CUSTOMERS, DAYS), -1)
    for customer in np.flatnonzero(rng.random(CUSTOMERS) < 0.5):
        start, length = rng.integers(0, DAYS), rng.integers(2, 9)
        found[customer, start : start + length] = rng.integers(0, len(REGIONS))
    return found


def _skimmed(events: Events, rng: np.random.Generator) -> Events:
    """Compromised terminals: for 10 to 28 days, half of what is paid there is paid by somebody with a copied card."""
    kind, amount = events.kind.copy(), events.amount.copy()
    visits = np.bincount(events.terminal, minlength=TERMINALS).astype(float)
    for terminal in rng.choice(TERMINALS, 11, p=visits / visits.sum()):
        start, length = rng.uniform(-10, DAYS - 10) * DAY_SECONDS, rng.uniform(10, 28) * DAY_SECONDS
        there = (events.terminal == terminal) & (events.second >= start) & (events.second < start + length)
        hit = there & (rng.random(len(kind)) < 1 / 2) & (kind == 0)
        kind[hit] = KINDS.index("terminal")
        amount[hit] *= rng.uniform(1.0, 2.2, hit.sum())
    return Events(events.customer, events.terminal, events.second, amount, kind)


def _stolen(world: World, rng: np.random.Generator) -> Events:
    """Stolen cards: within two days 3 to 9 purchases, larger than the customer's, at terminals elsewhere, at any hour.
    Thieves learn: what they overpay shrinks over the half year."""
    found = []
    for customer in rng.choice(CUSTOMERS, 42):
        start, n = rng.uniform(0, DAYS - 2), rng.integers(3, 10)
        when = start + np.sort(rng.exponential(0.15, n).cumsum())
        times = rng.uniform(2, 6, n) * (1.1 - 0.3 * start / DAYS)
        region = rng.integers(0, len(REGIONS))
        terminal = _around(world, np.repeat([list(REGIONS.values())[region]], n, axis=0), rng)
        found.append(_by_thief(world, customer, terminal, when, times, "stolen", rng))
    return found[0].joined(*found[1:])


def _taken_over(world: World, rng: np.random.Generator) -> Events:
    """Account takeover: for 3 to 10 days the thief buys as the customer does, near the customer's home, at the
    customer's hours, a little dearer. More of it as time goes on."""
    found = []
    for customer in rng.choice(CUSTOMERS, 38):
        start, n = (DAYS - 10) * rng.beta(1.6, 1.0), rng.integers(3, 7)
        day = np.floor(start + np.sort(rng.uniform(0, rng.uniform(3, 10), n)))
        hour = rng.normal(world.hour[customer] + rng.choice([-2, 2]), 3.0, n) % 24
        terminal = _around(world, np.repeat(world.home[customer][None], n, axis=0), rng)
        times = rng.uniform(1.0, 2.2, n)
        found.append(_by_thief(world, customer, terminal, day + hour / 24, times, "takeover", rng))
    return found[0].joined(*found[1:])


def _tested(world: World, events: Events, rng: np.random.Generator) -> Events:
    """Card testing: within minutes 3 to 6 tiny amounts at one terminal, and hours later one or two large ones."""
    found = []
    for customer in rng.choice(CUSTOMERS, 26):
        start, n, more = rng.uniform(0, DAYS - 1), int(rng.integers(3, 7)), int(rng.integers(1, 3))
        minutes, days = rng.exponential(4, n).cumsum(), 0.1 + rng.exponential(0.1, more).cumsum()
        when = start + np.concatenate([minutes / 1440, days])
        usual = world.usual[customer]
        times = np.concatenate([rng.uniform(0.5, 2.5, n) / usual, rng.uniform(2, 6, more)])
        one = np.repeat(_anywhere(world, 1, rng), n)
        terminal = np.concatenate([one, _anywhere(world, more, rng)])
        found.append(_by_thief(world, customer, terminal, when, times, "testing", rng))
    return found[0].joined(*found[1:])


def _by_thief(
    world: World, customer: int, terminal: Codes, day: Floats, times: Floats, kind: str, rng: np.random.Generator
) -> Events:
    """A thief's transactions, each so many times the customer's usual amount."""
    n = len(day)
    amount = np.maximum(world.usual[customer] * times * np.exp(rng.normal(0, 0.15, n)), 0.5)
    second = np.minimum(np.floor(day * DAY_SECONDS), DAYS * DAY_SECONDS - 1).astype(np.int64)
    return Events(np.full(n, customer), terminal, second, amount, np.full(n, KINDS.index(kind)))


def _around(world: World, place: Floats, rng: np.random.Generator) -> Codes:
    """(n,) a terminal near each place, busy ones more often."""
    away = np.linalg.norm(place[:, None] - world.place[None], axis=2)
    chance = (world.busy * np.exp(-away / 6)).cumsum(axis=1)
    drawn = rng.random((len(place), 1)) * chance[:, -1:]
    return np.asarray((chance < drawn).sum(axis=1), np.int64)


def _anywhere(world: World, n: int, rng: np.random.Generator) -> Codes:
    return rng.choice(TERMINALS, n, p=world.busy / world.busy.sum())


def _zipf(n: int) -> Floats:
    weights = 1 / np.arange(1, n + 1)
    return np.asarray(weights / weights.sum())


def _second(day: Codes, hour: Floats) -> Codes:
    return day * DAY_SECONDS + np.floor(hour * 3600).astype(np.int64)
