"""DICOM files made for tests: simulated pictures, with a bright spot where the label is 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def write(path: Path, pixels: np.ndarray, bits: int = 8, photometric: str = "MONOCHROME2", **elements: Any) -> Path:
    """Write (h, w), (frames, h, w) or (h, w, 3) whole numbers as a DICOM file with these elements in its header."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.Modality, data.PatientID = "CR", "P1"
    colour = photometric == "RGB"
    data.PhotometricInterpretation, data.SamplesPerPixel = photometric, 3 if colour else 1
    if colour:
        data.PlanarConfiguration = 0
    elif pixels.ndim == 3:
        data.NumberOfFrames = len(pixels)
    data.Rows, data.Columns = pixels.shape[:2] if colour else pixels.shape[-2:]
    data.BitsAllocated = 8 if bits <= 8 else 16
    data.BitsStored, data.HighBit, data.PixelRepresentation = bits, bits - 1, int(pixels.dtype.kind == "i")
    data.PixelData = pixels.astype(f"{pixels.dtype.kind}{data.BitsAllocated // 8}").tobytes()
    for name, value in elements.items():
        setattr(data, name, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


def spotted(label: int, chance: np.random.Generator, side: int = 16, most: int = 255) -> np.ndarray:
    """(side, side) noise, with a bright spot where the label is 1."""
    pixels = chance.integers(0, most // 3, (side, side))
    if label:
        pixels[6:10, 6:10] = most
    return pixels.astype(np.uint16 if most > 255 else np.uint8)


def hospital(folder: Path, patients: int = 24, each: int = 2, **elements: Any) -> Path:
    """A folder without suffixes or classes: files by patient, each with its label in `BodyPartExamined`."""
    chance = np.random.default_rng(0)
    for patient in range(patients):
        label = patient % 2
        for number in range(each):
            write(
                folder / f"{patient:03}" / f"{number + 1}", spotted(label, chance, most=4095), 12,
                PatientID=f"ID-{patient}", PatientSex="FM"[patient // 2 % 2], PatientAge=f"{30 + patient:03}Y",
                BodyPartExamined=("CHEST", "LUNG")[label], **elements,
            )  # fmt: skip
    return folder
