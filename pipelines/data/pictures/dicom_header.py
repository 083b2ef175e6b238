"""What a DICOM header says beside the pixels: who a picture is of, and what must not go further than that.

Elements by which people are known (PS3.15, Annex E, of the standard) are looked through for personal data, as columns
of tables are, and go no further. Patients are numbered here, so that not even their ids do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.wording import did_you_mean, listed
from pipelines.errors import BadInput
from pipelines.task import Beside

PATIENT, SEX, AGE, MODALITY = "PatientID", "PatientSex", "PatientAge", "Modality"
GROUPS = (SEX, AGE)
"""Attributes that bias is measured over without being asked."""

PERSONAL = (
    "PatientName", "PatientBirthDate", "PatientBirthTime", "OtherPatientNames", "OtherPatientIDs", "PatientBirthName",
    "PatientMotherBirthName", "PatientAddress", "PatientTelephoneNumbers", "CountryOfResidence", "RegionOfResidence",
    "MilitaryRank", "PatientReligiousPreference", "Occupation", "EthnicGroup", "PatientComments",
    "AdditionalPatientHistory", "MedicalRecordLocator", "IssuerOfPatientID", "ResponsiblePerson",
    "ResponsibleOrganization", "PatientInstitutionResidence", "AccessionNumber", "StudyID", "StudyDate", "SeriesDate",
    "AcquisitionDate", "ContentDate", "StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime", "InstitutionName",
    "InstitutionAddress", "InstitutionalDepartmentName", "StationName", "DeviceSerialNumber", "ReferringPhysicianName",
    "ReferringPhysicianAddress", "ReferringPhysicianTelephoneNumbers", "PerformingPhysicianName", "OperatorsName",
    "PhysiciansOfRecord", "NameOfPhysiciansReadingStudy", "RequestingPhysician", "RequestingService",
    "RequestedProcedureDescription", "RequestedProcedureComments", "StudyDescription", "SeriesDescription",
    "ImageComments", "StudyComments", "FrameComments", "AdmittingDiagnosesDescription", "DerivationDescription",
    "VisitComments", "SpecialNeeds", "PatientState", "CurrentPatientLocation", "AcquisitionComments",
)  # fmt: skip
"""Elements that nobody learns from, groups by, or reads in a report."""

NOBODY = frozenset({"", "anonymous", "anonymized", "anonymised", "anon", "removed", "unknown", "none", "deidentified"})
"""What stands for a name once it was taken out."""

_AGE = re.compile(r"(\d{1,3})([DWMY])")
YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}


def require_keyword(name: str, flag: str) -> str:
    """A keyword of the standard that may be learned from or grouped by.

    Raises:
        BadInput: the standard has none of that name, or it tells who somebody is.
    """
    from pydicom.datadict import tag_for_keyword

    if flag != "--id" and name in (*PERSONAL, PATIENT):
        raise BadInput(
            f"{flag} {name}: that element of a DICOM header tells who somebody is, or who treated them, and the report "
            f"would show it; name another, such as {listed(GROUPS)}"
        )
    if tag_for_keyword(name) is None:
        known = (*GROUPS, PATIENT, MODALITY, "BodyPartExamined", "ViewPosition", "Manufacturer", "Laterality")
        raise BadInput(
            f"{flag} {name}: neither a labels.csv nor DICOM has it{did_you_mean(name, known)}; "
            f"headers have for example {listed(known)}"
        )
    return name


def texts(data: Any, fields: Sequence[str]) -> dict[str, str]:
    """Keyword -> what is written there, on one line; elements that are absent, empty or nested are left out."""
    names = dict.fromkeys((PATIENT, MODALITY, *GROUPS, *fields, *PERSONAL))
    found = {name: _text(data, name) for name in names}
    told = {name: text for name, text in found.items() if text}
    same = told.get("PatientName", "") == told.get(PATIENT, "")
    if same or told.get("PatientName", "").strip("^ ").lower() in NOBODY:
        told.pop("PatientName", None)
    return told


def _text(data: Any, name: str) -> str:
    try:  # pydicom decodes an element when it is asked for, and raises many types on damaged ones
        value = data.get(name)
        if value is None or isinstance(value, bytes) or type(value).__name__ == "Sequence":
            return ""
        several = not isinstance(value, str) and hasattr(value, "__iter__") and not hasattr(value, "components")
        return " ".join(("\\".join(map(str, value)) if several else str(value)).split())
    except Exception:
        return ""


def patients(ids: Sequence[str]) -> NDArray[Any]:
    """(n,) object str: the number of each patient, in the order in which they first appear."""
    numbers: dict[str, str] = {}
    return np.array([numbers.setdefault(each, str(len(numbers) + 1)) for each in ids], dtype=object)


def attribute(name: str, values: Sequence[str]) -> NDArray[Any]:
    """An element of all rows as numbers, where all are (ages in years), or as words with None where absent."""
    if name == AGE:
        return np.array([_years(value) for value in values], np.float64)
    numbers = [_number(value) for value in values]
    if None not in numbers and any(values):
        return np.array(numbers, np.float64)
    return np.array([value or None for value in values], dtype=object)


def beside(headers: Sequence[Mapping[str, str]]) -> tuple[Beside, ...]:
    """What the headers say of people, to be looked through."""
    names = dict.fromkeys(name for header in headers for name in header if name in PERSONAL or name == PATIENT)
    return tuple(Beside("header", name, [each[name] for each in headers if name in each]) for name in names)


def _years(value: str) -> float:
    """`045Y`, `018M`, `006W` or `003D`; NaN for anything else."""
    match = _AGE.fullmatch(value.strip().upper())
    return int(match[1]) * YEARS[match[2]] if match else float("nan")


def _number(value: str) -> float | None:
    if not value:
        return float("nan")
    try:
        return float(value)
    except ValueError:
        return None
