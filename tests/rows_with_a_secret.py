"""Rows of every kind with one part that decides and others that do not."""

import numpy as np

from pipelines.data.examples import Examples

SIDE, RATE, STEPS = 16, 2000, 12


def table(n=500, classes=2, seed=0):
    chance = np.random.default_rng(seed)
    columns = {f"noise {place}": chance.normal(size=n) for place in range(4)}
    secret = chance.normal(size=n)
    town = np.array(["Ulm", "Köln", None], object)[chance.integers(0, 3, n)]
    target = secret * 5 + 20 if classes == 0 else np.array(["low", "mid", "top"])[_cut(secret, classes)]
    return Examples(columns={**columns, "secret": secret, "town": town}, target=target)


def texts(n=300, seed=0):
    chance = np.random.default_rng(seed)
    words = np.array([f"word{place}" for place in range(30)])
    held = chance.random(n) < 0.5
    rows = [" ".join([*chance.choice(words, 6), *(["Secret!"] if each else [])]) for each in held]
    for row in range(n):
        parts = rows[row].split()
        chance.shuffle(parts)
        rows[row] = " ".join(parts)
    target = np.where(held ^ (chance.random(n) < 0.02), "yes", "no")
    return Examples(columns={"text": np.array(rows, object)}, target=target, kinds={"text": "text"})


def pictures(n=400, seed=0):
    """A bright spot in the third of four fields down and the second across, or none."""
    chance = np.random.default_rng(seed)
    held, noise = chance.random(n) < 0.5, chance.integers(0, 90, (n, SIDE, SIDE, 1))
    noise[held, 9:11, 5:7] = 250
    return Examples(columns={"image": noise.astype(np.uint8)}, target=np.where(held, "yes", "no"))


def waves(n=300, seed=0):
    """Noise, with a tone in the third tenth of half of them."""
    chance = np.random.default_rng(seed)
    time = np.arange(RATE) / RATE
    held = chance.random(n) < 0.5
    sound = 0.1 * chance.normal(size=(n, RATE))
    sound[held, 400:600] += 0.7 * np.sin(2 * np.pi * 300 * time[400:600])
    return Examples(columns={"wave": sound.astype(np.float32)}, target=np.where(held, "yes", "no"))


def series(n=400, seed=0):
    """Events of three channels, the number of events varying; the last event's second number decides."""
    chance = np.random.default_rng(seed)
    events = chance.normal(size=(n, STEPS, 3)).astype(np.float32)
    for row, first in enumerate(chance.integers(0, STEPS - 2, n)):
        events[row, :first] = np.nan
    target = np.where(events[:, -1, 1] > 0, "yes", "no")
    return Examples(columns={"history": events}, target=target)


def _cut(values, classes):
    return np.digitize(values, np.quantile(values, np.linspace(0, 1, classes + 1)[1:-1])) * (2 if classes == 2 else 1)
