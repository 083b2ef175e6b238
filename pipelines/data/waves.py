"""Reading a user's own recordings: a folder of wav files by word, by a pattern of their names, or by a list."""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples
from pipelines.data.listing import MOST_GROUPS, Listing, read_listing
from pipelines.data.paths import LABELS, existing, files_under
from pipelines.data.shards import own as shards
from pipelines.data.shards.decoders import Waves
from pipelines.data.shards.folder import is_prepared
from pipelines.data.unlabelled import Unlabelled, files_to_predict
from pipelines.data.wording import count, listed, shown
from pipelines.errors import BadInput
from pipelines.task import DataRequest, Dataset

SUFFIXES = (".wav",)
FLAT = "{word}_{speaker}_{take}"
"""How files of one folder are named unless `--id` says otherwise (Free Spoken Digit Dataset)."""

BY_WORD = "{speaker}_nohash_{take}"
"""How the files of Speech Commands are named inside their word folders (Warden 2018, arXiv:1804.03209)."""


@dataclass(frozen=True)
class OwnWaves:
    """A user's folder of wav files as a source.

    Args:
        rate: samples a second that every recording is resampled to (polyphase filter).
        seconds: length that every recording is padded (zeros at the end) or cropped to. The crop is the stretch
            with the most energy, the earliest of equal ones.
    """

    rate: int = 8000
    seconds: float = 1.0

    def load(self, request: DataRequest) -> Dataset:
        """Read the recordings into column `wave`, (n, rate * seconds) float32 in [-1, 1]; ids are the speakers.

        What was said comes from, in this order: a `labels.csv` in the folder (columns path, word and, if known,
        speaker and attributes such as sex); the pattern in `--id`, such as `{word}_{speaker}_{take}`, which names
        the parts of a file's name; the folder above (`WORD/file.wav`) where there are two or more such folders;
        the pattern `{word}_{speaker}_{take}`. Further parts of a pattern but `take` become groups. A folder of TFDS
        shards holds one feature that is a sound, with its rate; more than fit in memory are read as they are needed.

        Raises:
            BadInput: a file is damaged, no wav file or not named by the pattern; the message names it.
        """
        folder = existing(request.where)
        if not folder.is_dir():
            raise BadInput(f"{folder} is a file; expected a folder of wav files")
        if is_prepared(folder):
            return shards.load(request, "wave", self._decoder)
        found, others = files_under(folder, SUFFIXES)
        if (folder / LABELS).is_file():
            targets, ids = ("word", "label", "class", "target"), ("speaker", "id")
            listing = read_listing(folder, request, targets, ids, SUFFIXES)
        else:
            listing = _by_name(folder, found, others, request)
        waves, changed = self._read(listing.files)
        examples = Examples(
            columns={"wave": waves},
            kinds={"wave": "wave"},
            target=listing.target,
            groups=listing.groups,
            ids=listing.ids,
            time=listing.time,
        )
        left = len(set(found) - set(listing.files))
        notes = [f"{count(left, 'recording')} not named in {LABELS} ignored"] if left else []
        notes += changed
        if others:
            notes.append(f"{count(len(others), 'file')} that are not wav ignored")
        notes = [*listing.notes, *notes]
        return Dataset(
            examples, str(folder), False, listing.target_name, listing.official, tuple(notes), request.positive,
            beside=listing.beside(folder),
        )  # fmt: skip

    def _decoder(self, name: str, feature: Any) -> Waves:
        """What reads the sounds of shards as those of files are read."""
        if not feature.sample_rate:
            raise BadInput(f"features.json gives no sample_rate for {name!r}; prepare the set again with one")
        length = max(1, round(self.rate * self.seconds))
        return Waves(
            name,
            feature,
            int(feature.sample_rate),
            length,
            lambda wave, rate: fit_length(resample(wave, rate, self.rate), length),
        )

    def unlabelled(self, where: str, shapes: Mapping[str, tuple[int, ...]]) -> Unlabelled:
        """Recordings to predict: one file, or all under a folder in the order of their names.

        Args:
            shapes: column -> shape of one value that the model takes; its length wins over `seconds`.

        Raises:
            BadInput: a file is damaged, or there is none.
        """
        files, notes = files_to_predict(existing(where), SUFFIXES)
        seconds = shapes["wave"][0] / self.rate if "wave" in shapes else self.seconds
        waves, changed = replace(self, seconds=seconds)._read(files)
        return Unlabelled({"wave": waves}, tuple(map(str, files)), (*notes, *changed))

    def _read(self, files: Sequence[Path]) -> tuple[NDArray[np.float32], list[str]]:
        """(n, rate * seconds) samples of the files, and what was done to them."""
        recordings = [read_wave(path) for path in files]
        length = max(1, round(self.rate * self.seconds))
        waves = np.stack([fit_length(resample(wave, rate, self.rate), length) for wave, rate, _ in recordings])
        stereo = sum(channels > 1 for _, _, channels in recordings)
        resampled = sum(rate != self.rate for _, rate, _ in recordings)
        cropped = sum(len(wave) / rate > self.seconds for wave, rate, _ in recordings)
        told = (
            (stereo, "of several channels mixed down to one"),
            (resampled, f"resampled to {self.rate:,} samples a second"),
            (cropped, f"longer than {self.seconds:g} s cropped to where they are loudest"),
        )
        return waves, [f"{count(number, 'recording')} {what}" for number, what in told if number]


Recording = tuple[NDArray[np.float32], int, int]
"""(samples,) in [-1, 1], samples a second, channels in the file."""


def read_wave(path: Path) -> Recording:
    """A wav file of 8, 16, 24 or 32 bit PCM or of floats, mixed down to one channel.

    Raises:
        BadInput: it is damaged, cut short, empty or not a wav file.
    """
    from scipy.io import wavfile

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)
            # SciPy only warns where the file ends before its header says: samples are lost, so it is an error here.
            warnings.filterwarnings("error", message=".*EOF prematurely.*", category=wavfile.WavFileWarning)
            rate, samples = wavfile.read(path)
    except wavfile.WavFileWarning as error:
        raise BadInput(f"{path} is cut short: it holds less sound than its header says; copy it again") from error
    except PermissionError as error:
        raise BadInput(f"{path} cannot be read: you have no permission to read it") from error
    except (OSError, ValueError, EOFError, struct.error, ArithmeticError, LookupError, TypeError, MemoryError) as error:
        raise BadInput(f"{path} is a damaged wav file, or none (PCM or float); export it again or remove it") from error
    except UnboundLocalError as error:  # SciPy, on a file without a data chunk
        raise BadInput(f"{path} is a wav file without sound; record it again or remove it") from error
    if samples.size == 0 or rate <= 0:
        raise BadInput(f"{path} is a wav file without sound; record it again or remove it")
    wave = _as_floats(samples)
    channels = 1 if wave.ndim == 1 else wave.shape[1]
    if channels > 1:
        wave = wave.mean(axis=1)
    if not np.isfinite(wave).all():
        raise BadInput(f"{path} has samples that are not finite; export it again or remove it")
    return np.clip(wave.reshape(-1), -1, 1).astype(np.float32), int(rate), channels


def _as_floats(samples: NDArray[Any]) -> NDArray[np.float64]:
    """Samples of full scale 1. SciPy gives 24 bits in the upper bytes of int32, so they need no case of their own."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float64)
    if samples.dtype == np.uint8:  # 8-bit PCM is unsigned, with silence at 128
        return (samples.astype(np.float64) - 128) / 128
    return samples.astype(np.float64) / -float(np.iinfo(samples.dtype).min)


def resample(wave: NDArray[np.float32], rate: int, wanted: int) -> NDArray[np.float32]:
    """The recording at another rate, low-pass filtered (`scipy.signal.resample_poly`)."""
    if rate == wanted:
        return wave
    from math import gcd

    from scipy.signal import resample_poly

    common = gcd(rate, wanted)
    changed = resample_poly(wave, wanted // common, rate // common)
    return np.asarray(np.clip(changed, -1, 1), dtype=np.float32)


def fit_length(wave: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """(length,): zeros added at the end, or the stretch with the most energy."""
    if len(wave) <= length:
        return np.pad(wave, (0, length - len(wave)))
    energy = np.concatenate([[0.0], np.cumsum(wave.astype(np.float64) ** 2)])
    start = int(np.argmax(energy[length:] - energy[:-length]))
    return wave[start : start + length]


def name_pattern(pattern: str) -> re.Pattern[str]:
    """`{word}_{speaker}_{take}` -> an expression for a file's name without `.wav`; a part is as short as it can be.

    Raises:
        BadInput: it names no part, or one twice.
    """
    parts = re.split(r"\{(\w+)\}", pattern)
    names = parts[1::2]
    if not names or len(set(names)) != len(names) or not all(name.isidentifier() for name in names):
        raise BadInput(f"--id {pattern!r} is no pattern of file names; write for example --id '{FLAT}'")
    pieces = [re.escape(text) if at % 2 == 0 else f"(?P<{text}>.+?)" for at, text in enumerate(parts)]
    return re.compile("".join(pieces))


def _by_name(folder: Path, found: list[Path], others: list[Path], request: DataRequest) -> Listing:
    for flag, value in (("--time", request.time), ("--sensitive", request.sensitive)):
        if value and (flag == "--time" or not _names_part(request, *request.sensitive)):
            raise BadInput(f"{flag} needs a {LABELS} in {folder} with columns path, word and what the flag names")
    if not found:
        instead = f" but {count(len(others), 'other file')}, such as {others[0].name}" if others else ""
        raise BadInput(f"{folder} holds no wav file{instead}; expected {folder}/WORD/file.wav or {FLAT}.wav")
    folders = {path.parent for path in found}
    by_folder = len(folders) > 1 and folder not in folders
    if request.id is not None:
        return _listing(found, _parts(found, request.id, by_folder), request)
    if by_folder:
        named = all(name_pattern(BY_WORD).fullmatch(path.stem) for path in found)
        return _listing(found, _parts(found, BY_WORD if named else "{take}", by_folder), request)
    return _listing(found, _parts(found, FLAT, by_folder), request)


def _names_part(request: DataRequest, *names: str) -> bool:
    return request.id is not None and all(f"{{{name}}}" in request.id for name in names)


def _parts(found: list[Path], pattern: str, by_folder: bool) -> dict[str, list[str]]:
    """The parts of every file's name, by the name of the part; the word from the folder where no part gives it."""
    compiled = name_pattern(pattern)
    matches = []
    for path in found:
        match = compiled.fullmatch(path.stem)
        if match is None:
            raise BadInput(
                f"{path} is not named by the pattern {pattern}.wav; rename it, give the pattern of your names with "
                f"--id, or put a {LABELS} with columns path, word and speaker into the folder"
            )
        matches.append(match.groupdict())
    parts = {name: [match[name] for match in matches] for name in compiled.groupindex}
    if "word" not in parts and by_folder:
        parts["word"] = [path.parent.name for path in found]
    return parts


def _listing(found: list[Path], parts: dict[str, list[str]], request: DataRequest) -> Listing:
    target = request.target if request.target is not None else "word"
    if target not in parts:
        raise BadInput(
            f"the names of the files have no part {target!r} to learn; their parts are {listed(parts)}: write "
            f"{{{target}}} into the pattern of --id, or put the files into one folder for each {target}"
        )
    columns = {name: np.array(values, dtype=object) for name, values in parts.items()}
    ids = columns.get("speaker") if target != "speaker" else None
    rest = [name for name in columns if name not in (target, "word", "speaker", "take")]
    groups = {name: columns[name] for name in rest if len(set(parts[name])) <= MOST_GROUPS}
    notes = (
        () if ids is not None else (f"the speakers are not known, so rows are split singly; name them: --id '{FLAT}'",)
    )
    ignored = tuple(
        f"part {shown(name)} of the names has too many values for groups" for name in rest if name not in groups
    )
    return Listing(found, columns[target], target, groups=groups, ids=ids, notes=notes + ignored)
