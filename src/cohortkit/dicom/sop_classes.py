"""What each storage SOP class is: kind, department, risk of names in the pixels, payload.

All storage SOP classes of PS3.6 Table A-1, retired and non-medical (DICOS, DICONDE) ones too.
The media directory (DICOMDIR) is not among them: it is no object but a list of objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from pydicom._uid_dict import UID_dictionary

from cohortkit.model.kinds import Department, Kind, PayloadKind, Risk, SopClass

MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
"""SOP Class UID of a DICOMDIR (PS3.10 8.6), which is known by this and never by its name."""

_ROOT = "1.2.840.10008.5.1.4.1.1."
_SHORT_ROOT = "1.2.840.10008.5.1."
_RETIRED = " (Retired)"
_PAYLOADS = {  # besides the object itself, which every class is
    "volume+frames": frozenset({PayloadKind.VOLUME, PayloadKind.FRAMES}),
    "frames": frozenset({PayloadKind.FRAMES}),
    "tables": frozenset[PayloadKind](),
}

# A heading in brackets says payload, kind, department and risk of the rows below it. A row is
# the UID without the common root (~ stands for the shorter root of the few that lie outside it)
# and the name in the standard.
_TEXT = """
[volume+frames image radiology low]
2           CT Image Storage
2.1         Enhanced CT Image Storage
2.2         Legacy Converted Enhanced CT Image Storage
4           MR Image Storage
4.1         Enhanced MR Image Storage
4.4         Legacy Converted Enhanced MR Image Storage
[volume+frames image nuclear-medicine low]
128         Positron Emission Tomography Image Storage
128.1       Legacy Converted Enhanced PET Image Storage
130         Enhanced PET Image Storage
5           Nuclear Medicine Image Storage (Retired)
20          Nuclear Medicine Image Storage
[frames image radiology low]
4.3         Enhanced MR Color Image Storage
[frames image any low]
30          Parametric Map Storage
[frames image radiology stated]
1           Computed Radiography Image Storage
1.1         Digital X-Ray Image Storage - For Presentation
1.1.1       Digital X-Ray Image Storage - For Processing
1.2         Digital Mammography X-Ray Image Storage - For Presentation
1.2.1       Digital Mammography X-Ray Image Storage - For Processing
12.1        X-Ray Angiographic Image Storage
12.1.1      Enhanced XA Image Storage
12.2        X-Ray Radiofluoroscopic Image Storage
12.2.1      Enhanced XRF Image Storage
12.3        X-Ray Angiographic Bi-Plane Image Storage (Retired)
13.1.1      X-Ray 3D Angiographic Image Storage
13.1.3      Breast Tomosynthesis Image Storage
13.1.4      Breast Projection X-Ray Image Storage - For Presentation
13.1.5      Breast Projection X-Ray Image Storage - For Processing
[frames image dentistry stated]
1.3         Digital Intra-Oral X-Ray Image Storage - For Presentation
1.3.1       Digital Intra-Oral X-Ray Image Storage - For Processing
13.1.2      X-Ray 3D Craniofacial Image Storage
[frames image radiotherapy stated]
481.1       RT Image Storage
481.23      Enhanced RT Image Storage
481.24      Enhanced Continuous RT Image Storage
[volume+frames image any high]
7           Secondary Capture Image Storage
7.1         Multi-frame Single Bit Secondary Capture Image Storage
7.2         Multi-frame Grayscale Byte Secondary Capture Image Storage
7.3         Multi-frame Grayscale Word Secondary Capture Image Storage
7.4         Multi-frame True Color Secondary Capture Image Storage
[frames image any high]
3           Ultrasound Multi-frame Image Storage (Retired)
3.1         Ultrasound Multi-frame Image Storage
6           Ultrasound Image Storage (Retired)
6.1         Ultrasound Image Storage
6.2         Enhanced US Volume Storage
6.3         Photoacoustic Image Storage
77.1        VL Image Storage - Trial (Retired)
77.2        VL Multi-frame Image Storage - Trial (Retired)
77.1.4      VL Photographic Image Storage
~1.29       Hardcopy Grayscale Image Storage SOP Class (Retired)
~1.30       Hardcopy Color Image Storage SOP Class (Retired)
501.1       DICOS CT Image Storage
501.2.1     DICOS Digital X-Ray Image Storage - For Presentation
501.2.2     DICOS Digital X-Ray Image Storage - For Processing
501.4       DICOS 2D AIT Storage
501.5       DICOS 3D AIT Storage
501.6       DICOS Quadrupole Resonance (QR) Storage
601.1       Eddy Current Image Storage
601.2       Eddy Current Multi-frame Image Storage
[frames image cardiology high]
14.1        Intravascular Optical Coherence Tomography Image Storage - For Presentation
14.2        Intravascular Optical Coherence Tomography Image Storage - For Processing
[frames image endoscopy high]
77.1.1      VL Endoscopic Image Storage
[frames image pathology high]
77.1.2      VL Microscopic Image Storage
77.1.3      VL Slide-Coordinates Microscopic Image Storage
[frames image dermatology high]
77.1.7      Dermoscopic Photography Image Storage
77.1.8      Confocal Microscopy Image Storage
[frames image ophthalmology high]
77.1.5.1    Ophthalmic Photography 8 Bit Image Storage
77.1.5.2    Ophthalmic Photography 16 Bit Image Storage
77.1.5.4    Ophthalmic Tomography Image Storage
77.1.5.5    Wide Field Ophthalmic Photography Stereographic Projection Image Storage
77.1.5.6    Wide Field Ophthalmic Photography 3D Coordinates Image Storage
77.1.5.7    Ophthalmic Optical Coherence Tomography En Face Image Storage
81.1        Ophthalmic Thickness Map Storage
82.1        Corneal Topography Map Storage
[tables video endoscopy high]
77.1.1.1    Video Endoscopic Image Storage
[tables video pathology high]
77.1.2.1    Video Microscopic Image Storage
[tables video any high]
77.1.4.1    Video Photographic Image Storage
[tables whole-slide pathology high]
77.1.6      VL Whole Slide Microscopy Image Storage
[tables whole-slide dermatology high]
77.1.9      Confocal Microscopy Tiled Pyramidal Image Storage
[tables segmentation any low]
66.4        Segmentation Storage
66.7        Label Map Segmentation Storage
66.8        Height Map Segmentation Storage
[tables segmentation ophthalmology low]
77.1.5.8    Ophthalmic Optical Coherence Tomography B-scan Volume Analysis Storage
[tables surface any none]
66.5        Surface Segmentation Storage
66.6        Tractography Results Storage
68.1        Surface Scan Mesh Storage
68.2        Surface Scan Point Cloud Storage
104.3       Encapsulated STL Storage
104.4       Encapsulated OBJ Storage
104.5       Encapsulated MTL Storage
[tables waveform cardiology none]
9.1.1       12-lead ECG Waveform Storage
9.1.2       General ECG Waveform Storage
9.1.3       Ambulatory ECG Waveform Storage
9.1.4       General 32-bit ECG Waveform Storage
9.2.1       Hemodynamic Waveform Storage
9.3.1       Cardiac Electrophysiology Waveform Storage
9.5.1       Arterial Pulse Waveform Storage
[tables waveform neurology none]
9.7.1       Routine Scalp Electroencephalogram Waveform Storage
9.7.2       Electromyogram Waveform Storage
9.7.3       Electrooculogram Waveform Storage
9.7.4       Sleep Electroencephalogram Waveform Storage
[tables waveform any none]
9           Standalone Curve Storage (Retired)
9.1         Waveform Storage - Trial (Retired)
9.4.1       Basic Voice Audio Waveform Storage
9.4.2       General Audio Waveform Storage
9.6.1       Respiratory Waveform Storage
9.6.2       Multi-channel Respiratory Waveform Storage
9.8.1       Body Position Waveform Storage
[tables waveform nuclear-medicine none]
129         Standalone PET Curve Storage (Retired)
[tables radiotherapy radiotherapy low]
481.2       RT Dose Storage
[tables radiotherapy radiotherapy none]
481.3       RT Structure Set Storage
481.4       RT Beams Treatment Record Storage
481.5       RT Plan Storage
481.6       RT Brachy Treatment Record Storage
481.7       RT Treatment Summary Record Storage
481.8       RT Ion Plan Storage
481.9       RT Ion Beams Treatment Record Storage
481.10      RT Physician Intent Storage
481.11      RT Segment Annotation Storage
481.12      RT Radiation Set Storage
481.13      C-Arm Photon-Electron Radiation Storage
481.14      Tomotherapeutic Radiation Storage
481.15      Robotic-Arm Radiation Storage
481.16      RT Radiation Record Set Storage
481.17      RT Radiation Salvage Record Storage
481.18      Tomotherapeutic Radiation Record Storage
481.19      C-Arm Photon-Electron Radiation Record Storage
481.20      Robotic Radiation Record Storage
481.21      RT Radiation Set Delivery Instruction Storage
481.22      RT Treatment Preparation Storage
481.25      RT Patient Position Acquisition Instruction Storage
~4.34.1     RT Beams Delivery Instruction Storage - Trial (Retired)
~4.34.7     RT Beams Delivery Instruction Storage
~4.34.10    RT Brachy Application Setup Delivery Instruction Storage
[tables report any none]
88.1        Text SR Storage - Trial (Retired)
88.2        Audio SR Storage - Trial (Retired)
88.3        Detail SR Storage - Trial (Retired)
88.4        Comprehensive SR Storage - Trial (Retired)
88.11       Basic Text SR Storage
88.22       Enhanced SR Storage
88.33       Comprehensive SR Storage
88.34       Comprehensive 3D SR Storage
88.35       Extensible SR Storage
88.40       Procedure Log Storage
88.59       Key Object Selection Document Storage
88.70       Implantation Plan SR Storage
88.71       Acquisition Context SR Storage
88.77       Waveform Annotation SR Storage
90.1        Content Assessment Results Storage
501.3       DICOS Threat Detection Report Storage
[tables report radiology none]
88.50       Mammography CAD SR Storage
88.65       Chest CAD SR Storage
88.67       X-Ray Radiation Dose SR Storage
88.69       Colon CAD SR Storage
88.73       Patient Radiation Dose SR Storage
88.74       Planned Imaging Agent Administration SR Storage
88.75       Performed Imaging Agent Administration SR Storage
88.76       Enhanced X-Ray Radiation Dose SR Storage
[tables report nuclear-medicine none]
88.68       Radiopharmaceutical Radiation Dose SR Storage
[tables report cardiology none]
88.72       Simplified Adult Echo SR Storage
[tables report ophthalmology none]
78.6        Spectacle Prescription Report Storage
79.1        Macular Grid Thickness and Volume Report Storage
[tables measurement ophthalmology none]
78.1        Lensometry Measurements Storage
78.2        Autorefraction Measurements Storage
78.3        Keratometry Measurements Storage
78.4        Subjective Refraction Measurements Storage
78.5        Visual Acuity Measurements Storage
78.7        Ophthalmic Axial Measurements Storage
78.8        Intraocular Lens Calculations Storage
80.1        Ophthalmic Visual Field Static Perimetry Measurements Storage
[tables measurement radiology none]
4.2         MR Spectroscopy Storage
[tables measurement any none]
67          Real World Value Mapping Storage
[tables measurement pathology none]
91.1        Microscopy Bulk Simple Annotations Storage
[tables document any none]
104.1       Encapsulated PDF Storage
104.2       Encapsulated CDA Storage
[tables presentation any high]
8           Standalone Overlay Storage (Retired)
[tables presentation any none]
10          Standalone Modality LUT Storage (Retired)
11          Standalone VOI LUT Storage (Retired)
11.1        Grayscale Softcopy Presentation State Storage
11.2        Color Softcopy Presentation State Storage
11.3        Pseudo-Color Softcopy Presentation State Storage
11.4        Blending Softcopy Presentation State Storage
11.5        XA/XRF Grayscale Softcopy Presentation State Storage
11.6        Grayscale Planar MPR Volumetric Presentation State Storage
11.7        Compositing Planar MPR Volumetric Presentation State Storage
11.8        Advanced Blending Presentation State Storage
11.9        Volume Rendering Volumetric Presentation State Storage
11.10       Segmented Volume Rendering Volumetric Presentation State Storage
11.11       Multiple Volume Rendering Volumetric Presentation State Storage
11.12       Variable Modality LUT Softcopy Presentation State Storage
131         Basic Structured Display Storage
~1.27       Stored Print Storage SOP Class (Retired)
~4.38.1     Hanging Protocol Storage
~4.39.1     Color Palette Storage
[tables registration any none]
66.1        Spatial Registration Storage
66.2        Spatial Fiducials Storage
66.3        Deformable Spatial Registration Storage
[tables registration ophthalmology none]
77.1.5.3    Stereometric Relationship Storage
[tables raw any none]
66          Raw Data Storage
[tables other radiology none]
200.1       CT Defined Procedure Protocol Storage
200.2       CT Performed Procedure Protocol Storage
200.7       XA Defined Procedure Protocol Storage
200.8       XA Performed Procedure Protocol Storage
[tables other any none]
200.3       Protocol Approval Storage
201.1       Inventory Storage
[tables other surgery none]
~4.43.1     Generic Implant Template Storage
~4.44.1     Implant Assembly Template Storage
~4.45.1     Implant Template Group Storage
"""


def _rows(text: str) -> Iterator[SopClass]:
    heading: list[str] = []
    for line in text.strip().splitlines():
        if line.startswith("["):
            heading = line.strip("[]").split()
            continue
        payloads, kind, department, risk = heading
        number, name = line.split(maxsplit=1)
        root = _SHORT_ROOT if number.startswith("~") else _ROOT
        yield SopClass(
            uid=root + number.removeprefix("~"),
            name=name.removesuffix(_RETIRED),
            kind=Kind(kind),
            department=Department(department),
            risk=Risk(risk),
            payloads=_PAYLOADS[payloads] | {PayloadKind.OBJECT},
            retired=name.endswith(_RETIRED),
        )


TABLE: Mapping[str, SopClass] = MappingProxyType({row.uid: row for row in _rows(_TEXT)})
"""Every storage SOP class by its UID."""


def lookup(uid: str) -> SopClass | None:
    """The row of this SOP Class UID; None where no one here knows what it holds."""
    return TABLE.get(uid)


def is_registered(uid: str) -> bool:
    """Whether PS3.6 Table A-1 names this UID: it is then a word of the standard, not an identity.

    DICOM's root alone says nothing: whoever makes up a UID may begin it so.
    """
    return uid in UID_dictionary or uid in TABLE
