"""Why a thing was skipped, refused or failed: one closed list, each with its plain words."""

from __future__ import annotations

from enum import Enum, StrEnum


class Status(StrEnum):
    """What became of a unit (instance, series, study, patient) for one kind of output.

    in = written + refused + failed + not applicable + duplicate, at every level.
    """

    WRITTEN = "written"
    REFUSED = "refused"
    FAILED = "failed"
    NOT_APPLICABLE = "not-applicable"
    DUPLICATE = "duplicate"


class Reason(Enum):
    """The closed list of reasons. ``str(reason)`` is its name on disk and in tables.

    Attributes:
        words: one plain sentence for people.
        transient: whether the same command, run again, tries it again.
    """

    # a file that the scan does not index
    EMPTY_FILE = ("empty-file", "The file holds no bytes.")
    NOT_DICOM = ("not-dicom", "The file is not DICOM.")
    DICOMDIR = ("dicomdir", "The file is a media directory, not an object.")
    TRUNCATED = ("truncated", "The file ends before its header does.")
    HEADER_UNREADABLE = ("header-unreadable", "The header breaks the rules of its encoding.")
    HEADER_TOO_LARGE = ("header-too-large", "The header is larger than any real one.")
    NO_SOP_CLASS = ("no-sop-class", "The object does not say what it is (SOP Class UID).")
    NO_UIDS = ("no-uids", "The object lacks a study, series or instance UID.")
    UNREADABLE_FILE = ("unreadable-file", "The operating system would not let the file be read.")
    FILE_NAME = ("file-name", "The file's name is not text (UTF-8), so no table can hold it.")
    NOT_A_FILE = ("not-a-file", "A link, socket or device, which the scan does not follow.")

    # a tar or zip, and what is in it
    CONTAINER = ("container", "A tar or zip; what it holds is listed, each file by itself.")
    CONTAINER_DAMAGED = (
        "container-damaged",
        "A tar or zip that ends early, or does not hold what it says it holds.",
    )
    MEMBER_NAME = (
        "member-name",
        "A file in a tar or zip whose name leads out of it, or is not plain text.",
    )
    MEMBER_TWICE = ("member-twice", "A tar or zip has several files of this name.")
    MEMBER_ENCRYPTED = ("member-encrypted", "A file in a zip that is encrypted.")
    MEMBER_PACKED = ("member-packed", "A file in a tar or zip, packed in a way that is not read.")
    MEMBER_TOO_LARGE = (
        "member-too-large",
        "A file in a tar or zip that says it is larger than any real one.",
    )
    MEMBER_NOT_A_FILE = ("member-not-a-file", "A link or device in a tar or zip.")

    # a series that privacy holds back
    BURNED_IN_RISK = ("burned-in-risk", "Names may be drawn into the pixels; no rule accepts it.")
    HELD_BY_RECIPE = ("held-by-recipe", "A filter of the recipe holds such objects back.")
    REDACTION_OUTSIDE = (
        "redaction-outside",
        "A part that is to be blanked or kept is empty or reaches beyond the image.",
    )
    NO_REGIONS = ("no-regions", "No usable ultrasound regions: absent, empty, beyond the image.")
    NOTHING_BLANKED = ("nothing-blanked", "The rule for the device blanks no pixel of the image.")
    FACE_RISK = ("face-risk", "The head may be in the image; no rule accepts a face.")
    FACE_NOT_FOUND = ("face-not-found", "No head was found that could be defaced with confidence.")
    UNKNOWN_SOP_CLASS = ("unknown-sop-class", "No one here knows what this kind of object holds.")
    NO_PATIENT_ID = ("no-patient-id", "Without a Patient ID no stable pseudonym can be made.")
    PERSON_CONFLICT = ("person-conflict", "The files of the series name more than one patient.")
    NO_PATTERN = ("no-pattern", "No identifying value to search for, so a search proves nothing.")
    IDENTITY_FOUND = ("identity-found", "A source identity was found in the output; quarantined.")
    NO_VARIABLE = ("no-variable", "The recipe's table has no value for this patient.")
    NOT_UNDERSTOOD = ("not-understood", "A part of the header could not be understood.")

    # a series that cannot be an exact volume or picture
    NO_GEOMETRY = ("no-geometry", "Position, orientation or spacing is absent.")
    BAD_GEOMETRY = ("bad-geometry", "Position, orientation or spacing is not a usable number.")
    TILT = ("tilt", "The slices are sheared (gantry tilt).")
    IRREGULAR_SPACING = ("irregular-spacing", "The slices are not evenly spaced.")
    MISSING_SLICE = ("missing-slice", "Slices are missing between others.")
    SINGLE_SLICE = ("single-slice", "One slice is a picture, not a volume.")
    SAME_PLACE = ("same-place", "Several slices at one place, and nothing tells them apart.")
    MIXED_SIZE = ("mixed-size", "The slices differ in rows, columns or pixel spacing.")
    MIXED_FORMAT = ("mixed-format", "The slices differ in pixel representation.")
    MIXED_STACKS = ("mixed-stacks", "The parts of the series do not cover the same places.")
    UNKNOWN_MOSAIC = ("unknown-mosaic", "A mosaic whose tiles cannot be placed.")
    NOT_GREY = ("not-grey", "A colour image has no place in this output.")
    UNSUPPORTED_PIXELS = ("unsupported-pixels", "A pixel representation that is not handled.")
    NO_SUV = ("no-suv", "The header does not allow SUV: units, corrections, weight, dose or times.")
    SUV_WITHHELD = ("suv-withheld", "SUV would tell the weight, which the recipe removes.")
    VALUES_OUT_OF_RANGE = ("values-out-of-range", "The values fit no exact number type.")

    # pixels that cannot be decoded
    NO_PIXELS = ("no-pixels", "The object has no pixel data.")
    PIXEL_LENGTH = ("pixel-length", "The pixel data are shorter or longer than the header says.")
    TOO_LARGE = ("too-large", "The pixels would need more memory than a task may have.")
    NO_DECODER = ("no-decoder", "No decoder for this transfer syntax is installed.")
    DECODE_FAILED = ("decode-failed", "The decoder rejected the pixel data.")

    # an object that cannot be written as it is, with nothing hidden in it
    UNREAD_CONTENT = ("unread-content", "A document, video, sound or raw data, unread here.")
    PIXEL_STREAM = ("pixel-stream", "The compressed pixels hold a part that may be text.")
    HIDDEN_BITS = ("hidden-bits", "Compressed pixels use bits that no picture has; text may hide.")
    UID_CONFLICT = ("uid-conflict", "Different objects of the series share one instance UID.")

    # what does not apply
    NO_PAYLOAD = ("no-payload", "This kind of object has nothing of that kind to write.")
    SAME_INSTANCE = (
        "same-instance",
        "The same again, by its UID or by its place and pixels; it is written once.",
    )

    # a task that could not be done this time
    FILE_VANISHED = ("file-vanished", "A file is gone since the scan.", True)
    FILE_CHANGED = ("file-changed", "A file has changed since the scan; scan again.", True)
    ANOTHER_OBJECT = ("another-object", "The server handed over another object than asked.", True)
    READ_ERROR = ("read-error", "The archive could not be read.", True)
    DISK_FULL = ("disk-full", "No space left at the output place.", True)
    WRITE_ERROR = ("write-error", "The output place could not be written.", True)
    WORKER_DIED = ("worker-died", "The worker process died twice on this series.", True)
    TIMED_OUT = ("timed-out", "The series took longer than a task may take.", True)
    OUT_OF_MEMORY = ("out-of-memory", "The worker had not enough memory.", True)
    INTERNAL = ("internal", "A fault in cohortkit; the traceback is in the vault.", True)

    def __init__(self, code: str, words: str, transient: bool = False) -> None:  # noqa: FBT001, FBT002 - a row of the table above
        self.code = code
        self.words = words
        self.transient = transient

    def __str__(self) -> str:
        return self.code

    @classmethod
    def from_code(cls, code: str) -> Reason:
        """The reason with this name on disk.

        Raises:
            ValueError: a name that is not on the list.
        """
        for reason in cls:
            if reason.code == code:
                return reason
        raise ValueError("a reason that is not on the closed list")
