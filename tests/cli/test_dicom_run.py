"""A DICOM folder from end to end; what was planted in its headers is nowhere afterwards: a search proves it."""

import json

import dicom_files
import numpy as np
import pandas as pd
import pytest

from .test_personal_data import traces

TASK = "medical_imaging/lung-nodule"
FAST = [
    part
    for each in (
        "recipe.epochs=1",
        "recipe.trials=1",
        "recipe.width=4",
        "recipe.plan=resident",
        "protocol.kind=holdout",
        "protocol.resamples=100",
    )
    for part in ("--set", each)
]
PLANTED = {
    "PatientName": "Plantagenet^Ottilie",
    "PatientBirthDate": "19610417",
    "InstitutionName": "Sankt Planted Hospital",
    "ReferringPhysicianName": "Doktorova^Hedwig",
    "PatientComments": "lives in Plantstrasse 7",
    "ImageComments": "seen by Quackenbush",
    "OtherPatientIDs": "OTHER-77123",
    "StudyDescription": "follow-up of Plantagenet",
}
WORDS = {
    "Plantagenet", "Ottilie", "19610417", "Planted", "Doktorova", "Hedwig", "Plantstrasse", "Quackenbush",
    "OTHER-77123", "ID-11", "ID-3",
}  # fmt: skip


@pytest.fixture
def scans(folder):
    """Files by number without a suffix, 2 of each of 24 patients, and three that cannot be used."""
    place = dicom_files.hospital(folder / "scans", **PLANTED)
    whole = (place / "011" / "2").read_bytes()
    (place / "011" / "3.dcm").write_bytes(whole[:-300])
    (place / "011" / "4.dcm").write_bytes(b"")
    frames = np.zeros((2, 16, 16), np.uint8)
    dicom_files.write(place / "020" / "5", frames, Modality="US", BodyPartExamined="LUNG", **PLANTED)
    return place


def test_a_run_and_what_follows_it_leave_no_trace_of_headers(scans, folder, tapeline):
    flags = ("--data", "scans", "--target", "BodyPartExamined", "--sensitive", "PatientSex", "--positive", "LUNG")
    ended = tapeline("run", TASK, *flags, *FAST, "--json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    assert document["data"]["rows"] == 48
    checks = {each["name"]: each for each in document["data"]["checks"]}
    assert checks["no id in two splits"]["passed"]
    assert "header 'PatientName': names of people in 48 of 48" in checks["no personal data"]["detail"]
    bias = [row["attribute"] for row in document["contenders"][0]["bias"]]
    assert "PatientSex" in bias
    assert any("3 files skipped" in note for note in document["data"]["notes"])
    for name in ("3.dcm is a damaged", "4.dcm is empty", "5 is of another modality"):
        assert name in ended.err.replace("\n", " ")
    printed = ended.out + ended.err
    run = document["mlflow_run_id"]
    steps = (
        ("predict", run, "--input", "scans", "--output", "out.csv"),
        ("explain", run, "--input", "scans/003", "--output", "why", "--contender", "small-resnet"),
        ("report", run, "--output", "page.html"),
    )
    for step in steps:
        ended = tapeline(*step)
        assert ended.code == 0, (step, ended.err)
        printed += ended.out + ended.err
    assert len(pd.read_csv("out.csv")) == 50, "two of each patient, and two frames of another modality"
    assert len(pd.read_csv("why/explained.csv")["row"].unique()) == 2
    assert traces(folder / "why", WORDS) == set()
    assert [word for word in sorted(WORDS) if word in printed] == []
    assert traces(folder / "mlruns", WORDS) == set()
    assert [word for word in sorted(WORDS) if word in (folder / "page.html").read_text()] == []
