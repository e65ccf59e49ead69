"""Bytes of DICOM files: headers read fast or whole, keywords, the table of SOP classes."""
