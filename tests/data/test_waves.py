"""A user's own recordings."""

from __future__ import annotations

import collections
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from pipelines.data.waves import OwnWaves, fit_length, name_pattern, read_wave, resample
from pipelines.errors import BadInput
from pipelines.task import DataRequest

DIGITS = Path(__file__).resolve().parents[2] / "../shared/data/spoken-digits"


def tone(rate: int = 8000, seconds: float = 0.5, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def record(path: Path, samples: np.ndarray | None = None, rate: int = 8000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    wavfile.write(path, rate, tone(rate) if samples is None else samples)
    return path


def load(folder: Path, **flags):
    return OwnWaves().load(DataRequest(where=str(folder), **flags))


def refusal(folder: Path, **flags) -> str:
    with pytest.raises(BadInput) as caught:
        load(folder, **flags)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_flat_names(tmp_path):
    for name in ("yes_ann_0", "no_ann_0", "no_bob_1"):
        record(tmp_path / f"{name}.wav")
    data = load(tmp_path)
    wave = data.examples.columns["wave"]
    assert wave.shape == (3, 8000)
    assert wave.dtype == np.float32
    assert data.examples.target.tolist() == ["no", "no", "yes"]
    assert data.examples.ids.tolist() == ["ann", "bob", "ann"]
    assert data.examples.groups == {}


def test_one_folder_around_flat_names(tmp_path):
    record(tmp_path / "recordings" / "0_ann_0.wav")
    record(tmp_path / "recordings" / "1_ann_0.wav")
    assert load(tmp_path).examples.target.tolist() == ["0", "1"]


def test_folders_by_word(tmp_path):
    record(tmp_path / "yes" / "a.wav")
    record(tmp_path / "no" / "b.wav")
    data = load(tmp_path)
    assert data.examples.target.tolist() == ["no", "yes"]
    assert data.examples.ids is None
    assert any("speakers are not known" in note for note in data.notes)


def test_speech_commands_names(tmp_path):
    record(tmp_path / "yes" / "0a7c_nohash_0.wav")
    record(tmp_path / "no" / "0b40_nohash_1.wav")
    data = load(tmp_path)
    assert data.examples.target.tolist() == ["no", "yes"]
    assert data.examples.ids.tolist() == ["0b40", "0a7c"]


def test_a_pattern_names_parts_and_groups(tmp_path):
    record(tmp_path / "ann-f-go.wav")
    record(tmp_path / "bob-m-go.wav")
    data = load(tmp_path, id="{speaker}-{sex}-{word}", sensitive=("sex",))
    assert data.examples.target.tolist() == ["go", "go"]
    assert data.examples.ids.tolist() == ["ann", "bob"]
    assert data.examples.groups["sex"].tolist() == ["f", "m"]


def test_labels_file(tmp_path):
    record(tmp_path / "a.wav")
    record(tmp_path / "b.wav")
    record(tmp_path / "c.wav")
    (tmp_path / "labels.csv").write_text("path,word,speaker,sex\na.wav,go,ann,f\nb.wav,stop,bob,m\n")
    data = load(tmp_path)
    assert data.examples.target.tolist() == ["go", "stop"]
    assert data.examples.ids.tolist() == ["ann", "bob"]
    assert data.examples.groups["sex"].tolist() == ["f", "m"]
    assert any("1 recording not named" in note for note in data.notes)


@pytest.mark.parametrize(
    ("dtype", "scale", "middle", "step"),
    [(np.uint8, 128, 128, 1 / 128), (np.int16, 2**15, 0, 2**-15), (np.int32, 2**31, 0, 2**-31), (np.float32, 1, 0, 0)],
)
def test_every_sample_format_has_one_scale(tmp_path, dtype, scale, middle, step):
    wave = tone()
    samples = (wave.astype(np.float64) * (scale - 1 if scale > 1 else 1) + middle).astype(dtype)
    read, rate, channels = read_wave(record(tmp_path / "x.wav", samples))
    assert (rate, channels) == (8000, 1)
    np.testing.assert_allclose(read, wave, atol=2 * step + 1e-6)


def test_24_bits(tmp_path):
    import wave as standard

    with standard.open(str(tmp_path / "x.wav"), "wb") as file:
        file.setparams((1, 3, 8000, 0, "NONE", ""))
        file.writeframes(b"".join(int(value).to_bytes(3, "little", signed=True) for value in (0, 2**22, -(2**23))))
    np.testing.assert_array_equal(read_wave(tmp_path / "x.wav")[0], [0, 0.5, -1])


def test_stereo_resampling_and_cropping_are_noted(tmp_path):
    record(tmp_path / "a_ann_0.wav", np.stack([tone(16000, 2), -tone(16000, 2)], axis=1), rate=16000)
    record(tmp_path / "b_ann_0.wav")
    data = load(tmp_path)
    told = " ".join(data.notes)
    for part in ("1 recording of several channels", "1 recording resampled", "1 recording longer than 1 s"):
        assert part in told
    np.testing.assert_array_equal(data.examples.columns["wave"][0], 0)  # opposite channels cancel


def test_resampling_keeps_the_tone():
    down = resample(tone(16000, 1), 16000, 8000)
    assert len(down) == 8000
    np.testing.assert_allclose(down[100:-100], tone(8000, 1)[100:-100], atol=2e-3)


def test_length():
    np.testing.assert_array_equal(fit_length(np.ones(2, np.float32), 4), [1, 1, 0, 0])
    np.testing.assert_array_equal(fit_length(np.array([0, 1, 9, 8, 0], np.float32), 2), [9, 8])


def test_damaged_files_are_named(tmp_path):
    record(tmp_path / "good_ann_0.wav")
    odd = record(tmp_path / "odd_ann_0.wav")
    whole = odd.read_bytes()
    for length in range(0, len(whole), 97):
        odd.write_bytes(whole[:length])
        assert "odd_ann_0.wav" in refusal(tmp_path)
    for content in (b"ID3 an mp3 file in disguise", whole[:44], b"RIFF\x04\0\0\0WAVE"):
        odd.write_bytes(content)
        assert "odd_ann_0.wav" in refusal(tmp_path)


def test_a_flipped_header_byte_is_refused_or_harmless(tmp_path):
    path = record(tmp_path / "x.wav")
    whole = path.read_bytes()
    for at in range(60):
        for flip in (0xFF, 0x01):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :])
            try:
                assert np.isfinite(read_wave(path)[0]).all()
            except BadInput as error:
                assert "x.wav" in str(error)  # noqa: PT017


def test_samples_that_are_not_finite(tmp_path):
    record(tmp_path / "a_ann_0.wav", np.array([0, np.nan, 0], np.float32))
    assert "not finite" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"id": "{speaker}={word}"}, "pattern {speaker}={word}"),
        ({"id": "speaker"}, "no pattern"),
        ({"id": "{speaker}_{rest}"}, "no part 'word'"),
        ({"sensitive": ("sex",)}, "labels.csv"),
        ({"time": "when"}, "labels.csv"),
    ],
)
def test_flags_that_do_not_fit(tmp_path, flags, words):
    record(tmp_path / "go_ann_0.wav")
    assert words in refusal(tmp_path, **flags)


def test_folders_without_recordings(tmp_path):
    assert "no wav file" in refusal(tmp_path)
    (tmp_path / "song.mp3").write_bytes(b"x")
    assert "song.mp3" in refusal(tmp_path)
    assert "folder of wav files" in refusal(tmp_path / "song.mp3")
    record(tmp_path / "oddname.wav")
    assert "oddname.wav" in refusal(tmp_path)


def test_pattern_is_matched_literally_around_its_parts():
    assert name_pattern("{word}.{speaker}").fullmatch("go_ann") is None
    assert name_pattern("{word}.{speaker}").fullmatch("go.ann").groupdict() == {"word": "go", "speaker": "ann"}


def test_spoken_digits():
    if not DIGITS.exists():
        pytest.skip("shared/data/spoken-digits is absent")
    data = load(DIGITS)
    assert data.examples.columns["wave"].shape == (3000, 8000)
    assert len(set(data.examples.ids)) == 6
    assert collections.Counter(data.examples.target) == {str(digit): 300 for digit in range(10)}
    assert "20 recordings longer than 1 s cropped to where they are loudest" in data.notes
    wave = data.examples.columns["wave"]
    assert np.abs(wave).max(axis=1).min() > 0.01
    assert np.abs(wave).max() <= 1
