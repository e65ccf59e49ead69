"""Frozen records and closed enumerations, in DICOM's words. Nothing here does IO.

``reasons``   (one floor down) why a thing was skipped, refused or failed, and the status of a unit
``kinds``     what a SOP class is: kind, department, risk, payload
``query``     what is asked of an index
``facts``     the numbers that assembly needs: no free string, no bytes
``series``    the identified side of one series, as a source hands it over
``released``  the de-identified side, made by ``deidentify()`` alone
``payloads``  what a writer takes: Volume, Frames, Object, or Refused
``tasks``     one unit of work and what became of it
"""

from cohortkit.model.facts import (
    FIGURES,
    Codec,
    Display,
    Facts,
    FrameFacts,
    InstanceFacts,
    Lut,
    Mosaic,
    Photometric,
    PixelFormat,
    VoiFunction,
)
from cohortkit.model.kinds import Department, Kind, PayloadKind, Risk, SopClass
from cohortkit.model.payloads import (
    COLOUR,
    Accepted,
    Frames,
    Lean,
    Object,
    Payload,
    PixelValue,
    Refused,
    Uneven,
    Volume,
    Withheld,
)
from cohortkit.model.query import Capabilities, Query
from cohortkit.model.released import (
    DeidentifiedSeries,
    Names,
    PixelWork,
    ReleasedHeader,
    Scalar,
    Statement,
)
from cohortkit.model.series import (
    FileRef,
    Person,
    PixelForm,
    PixelHandle,
    SourceInstance,
    SourceSeries,
    StoredPixels,
)
from cohortkit.model.tasks import Artifact, Outcome, Parts, Record, Searched, Task
from cohortkit.reasons import Reason, Status

FORMAT = 1
"""The version of every file format that cohortkit writes."""

__all__ = [
    "COLOUR",
    "FIGURES",
    "FORMAT",
    "Accepted",
    "Artifact",
    "Capabilities",
    "Codec",
    "DeidentifiedSeries",
    "Department",
    "Display",
    "Facts",
    "FileRef",
    "FrameFacts",
    "Frames",
    "InstanceFacts",
    "Kind",
    "Lean",
    "Lut",
    "Mosaic",
    "Names",
    "Object",
    "Outcome",
    "Parts",
    "Payload",
    "PayloadKind",
    "Person",
    "Photometric",
    "PixelForm",
    "PixelFormat",
    "PixelHandle",
    "PixelValue",
    "PixelWork",
    "Query",
    "Reason",
    "Record",
    "Refused",
    "ReleasedHeader",
    "Risk",
    "Scalar",
    "Searched",
    "SopClass",
    "SourceInstance",
    "SourceSeries",
    "Statement",
    "Status",
    "StoredPixels",
    "Task",
    "Uneven",
    "VoiFunction",
    "Volume",
    "Withheld",
]
