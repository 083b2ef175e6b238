"""Spoken commands, synthesised: many voices, speeds, loudnesses and noises."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from numpy.typing import NDArray

from pipelines.data.builders.espeak import Espeak
from pipelines.data.builders.sample_facts import SampleFacts

WORDS = ("yes", "no", "on", "off", "stop", "go", "help", "call", "pay", "nurse", "doctor", "cancel")
FEMALE = (
    *("f1", "f2", "f3", "f4", "f5", "Andrea", "Annie"),
    *("anika", "aunty", "belinda", "grandma", "linda", "steph", "steph2", "steph3"),
)
MALE = (
    *("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"),
    *("Andy", "antonio", "Denis", "Diogo", "michel", "sandro", "victor"),
)
ACCENTS = ("en", "en-us", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-gb-x-rp", "en-029")
TAKES = 10
RATE = 8000
SAMPLES = 8000
SEED = 20


class VoiceCommands(tfds.core.GeneratorBasedBuilder):
    """3600 commands to a hospital's or a bank's telephone, spoken by 30 synthetic voices. SIMULATED.

    Source: the speech synthesiser eSpeak NG 1.52 (GPL-3, https://github.com/espeak-ng/espeak-ng), inside the wheel
    espeakng-loader 0.2.4. The rows are made here, not recorded: good scores on them promise nothing for people.

    A row is one of 12 words, said by one of 15 female and 15 male voices, 10 times each at another speed (120 to 240
    words a minute), pitch, loudness (0 to 18 dB down), place within the second and noise (signal-to-noise ratio 5 to
    25 dB over the whole second, from white to brown): 1 s at 8 kHz, 16 bit. A voice always has one accent (British,
    Received, Scottish, Lancastrian, West Midlands, American, Caribbean). Whole voices are held out, so the id is the
    voice. Group: the sex of the voice, as eSpeak says. Everything is seeded: each preparation gives the same rows.
    Left out: speed, pitch, loudness, noise and accent; and the variants Alicia, Lee and travis, whose words a model
    of the other voices could hardly tell apart (8, 37 and 18 % right). MFCC statistics and an SVM reach an accuracy
    of .71 on held-out voices (4 groups of voices).
    """

    VERSION = tfds.core.Version("1.0.0")
    FACTS = SampleFacts(
        target="word",
        groups=("sex",),
        id="voice",
        wheel="espeakng_loader",
        simulated=True,
        notes=("the words are spoken by a speech synthesiser, not by people",),
    )

    def _info(self) -> Any:
        features = {
            "wave": tfds.features.Tensor(shape=(SAMPLES,), dtype=np.int16, encoding=tfds.features.Encoding.BYTES),
            "word": tfds.features.ClassLabel(names=list(WORDS)),
            "voice": tfds.features.Text(),
            "sex": tfds.features.ClassLabel(names=["female", "male"]),
        }
        return tfds.core.DatasetInfo(
            builder=self, description=self.__doc__, features=tfds.features.FeaturesDict(features)
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[str, dict[str, Any]]]:
        rng = np.random.default_rng(SEED)
        with Espeak(seed=SEED) as espeak:
            for number, voice in enumerate((*FEMALE, *MALE)):
                espeak.voice(f"{ACCENTS[number % len(ACCENTS)]}+{voice}")
                sex = "female" if voice in FEMALE else "male"
                for word in WORDS:
                    for take in range(TAKES):
                        speech = espeak.say(word, speed=int(rng.integers(120, 241)), pitch=int(rng.integers(25, 76)))
                        wave = recorded(at_rate(speech, espeak.rate), rng)
                        yield f"{voice} {word} {take}", {"wave": wave, "word": word, "voice": voice, "sex": sex}


def at_rate(speech: NDArray[np.int16], rate: int) -> NDArray[np.float64]:
    """The speech at 8 kHz, without the silence around it, at most one second of it; its peak is 1."""
    from scipy.signal import resample_poly

    divisor = int(np.gcd(rate, RATE))
    up, down = RATE // divisor, rate // divisor
    wave = resample_poly(speech.astype(np.float64), up, down, window=low_pass(down))
    wave /= np.abs(wave).max()
    loud = np.flatnonzero(np.abs(wave) > 0.01)
    return np.asarray(wave[loud[0] : loud[-1] + 1][:SAMPLES])


@cache
def low_pass(down: int) -> NDArray[np.float64]:
    """The filter that `resample_poly` would design anew for each word: a Kaiser window of ten lobes."""
    from scipy.signal import firwin

    return np.asarray(firwin(20 * down + 1, 1 / down, window=("kaiser", 5.0)))


def recorded(speech: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int16]:
    """(8000,) int16: the speech somewhere in a second of noise, louder or softer, as a telephone would hear it."""
    second = np.zeros(SAMPLES)
    start = rng.integers(0, SAMPLES - len(speech) + 1)
    second[start : start + len(speech)] = speech
    noise = coloured_noise(rng.uniform(0, 2), rng)
    decibels = rng.uniform(5, 25)
    second += noise * np.sqrt(np.mean(second**2) / np.mean(noise**2)) * 10 ** (-decibels / 20)
    gain = 10 ** (-rng.uniform(0, 18) / 20)
    return np.asarray(np.rint(second / np.abs(second).max() * gain * 32767), dtype=np.int16)


def coloured_noise(exponent: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """(8000,) noise whose power falls as 1 / frequency ** exponent: 0 is white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(SAMPLES))
    frequency = np.maximum(np.fft.rfftfreq(SAMPLES, 1 / RATE), 20.0)  # level below what a telephone carries
    return np.asarray(np.fft.irfft(spectrum * frequency ** (-exponent / 2), SAMPLES))
