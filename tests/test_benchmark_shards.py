"""The shards benchmark: records that differ in bytes alone, and a smoke run through the whole path."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import shards


def test_records_differ_but_their_pictures_do_not():
    picture = next(shards._pictures())
    first, second = shards._commented(picture, 1), shards._commented(picture, 2)
    assert len({picture, first, second}) == 3
    pixels = [np.asarray(Image.open(io.BytesIO(each))) for each in (picture, first, second)]
    assert pixels[0].shape == (shards.SIDE, shards.SIDE, 3)
    np.testing.assert_array_equal(pixels[0], pixels[1])
    np.testing.assert_array_equal(pixels[0], pixels[2])


@pytest.mark.slow
def test_it_measures_an_eighth_and_the_whole(monkeypatch, capsys):
    haste = str(Path(__file__).with_name("haste.py"))
    monkeypatch.setattr(shards, "PROGRAM", (haste, *shards.PROGRAM))
    monkeypatch.setattr(sys, "argv", ["shards", "--gigabytes", "0.006", "--format", "array_record"])
    shards.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" of shards")[0] for line in lines] == ["0.00 GB", "0.01 GB"]
    assert all("rows/s, peak memory" in line for line in lines)
