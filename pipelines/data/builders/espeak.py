"""The speech synthesiser eSpeak NG, called through ctypes in the library that the wheel espeakng-loader holds."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.builders.wheels import wheel_folder
from pipelines.errors import BadInput

# Constants of espeak-ng's speak_lib.h
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_RATE, _PITCH = 1, 3
_POS_CHARACTER = 1
_CHARS_UTF8 = 1
_LIBRARIES = {"Windows": "espeak-ng.dll", "Darwin": "libespeak-ng.dylib"}
_LONGEST_PATH = 120  # eSpeak copies its data's path into a buffer of 160 bytes and appends file names to it

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """The synthesiser, for the length of a `with`.

    Args:
        seed: of the noise in breath and frication, so that the same calls give the same samples.

    Raises:
        BadInput: the wheel is missing, or its library does not start here.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rate = 0
        self._chunks: list[NDArray[np.int16]] = []
        self._callback = _Callback(self._hear)
        self._library: Any = None
        self._folders = ExitStack()

    def __enter__(self) -> Espeak:
        folder = wheel_folder("espeakng_loader")
        self._scratch = Path(self._folders.enter_context(TemporaryDirectory(ignore_cleanup_errors=True)))
        try:
            self._library = self._fresh(folder / _LIBRARIES.get(platform.system(), "libespeak-ng.so"))
        except OSError as error:
            raise BadInput(f"the speech synthesiser of espeakng-loader does not load here: {error}") from None
        data = os.fsencode(self._short(folder))
        self.rate = self._library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data, _INITIALIZE_DONT_EXIT)
        if self.rate <= 0:
            self._folders.close()
            raise BadInput(f"the speech synthesiser of espeakng-loader cannot read its data in {folder}")
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(self.seed))
        self._library.espeak_SetSynthCallback(self._callback)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._library.espeak_Terminate()
        self._folders.close()

    def voice(self, name: str) -> None:
        """Speak as `ACCENT+VARIANT`, for example `en-us+f1`."""
        self._call(self._library.espeak_SetVoiceByName, name.encode())

    def say(self, word: str, speed: int, pitch: int) -> NDArray[np.int16]:
        """(samples,) int16 at `rate`: the word, at `speed` words a minute and `pitch` (0 to 99; 50 is usual)."""
        self._chunks.clear()
        self._call(self._library.espeak_SetParameter, _RATE, speed, 0)
        self._call(self._library.espeak_SetParameter, _PITCH, pitch, 0)
        text = word.encode() + b"\0"
        size = ctypes.c_size_t(len(text))
        self._call(self._library.espeak_Synth, text, size, 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None)
        return np.concatenate(self._chunks)

    def _hear(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def _fresh(self, library: Path) -> ctypes.CDLL:
        """A copy of the library, loaded: eSpeak keeps phases and noise in static variables that no call resets."""
        return ctypes.CDLL(str(shutil.copy(library, self._scratch)))

    def _short(self, folder: Path) -> Path:
        """The folder by a name that eSpeak can hold: itself, or a link to it where its path is too long."""
        if len(os.fsencode(folder)) <= _LONGEST_PATH:
            return folder
        link = self._scratch / "espeak"
        link.symlink_to(folder, target_is_directory=True)
        return link

    @staticmethod
    def _call(function: Callable[..., int], *arguments: Any) -> None:
        if status := function(*arguments):
            raise BadInput(f"the speech synthesiser of espeakng-loader failed with its status {status}")
