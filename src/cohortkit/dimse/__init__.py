"""DICOM's own network protocol (PS3.7, PS3.8): associations, C-ECHO, C-FIND, C-GET.

pynetdicom does the protocol; who is asked, how long we wait, how often we try, what is never told
and what counts as an answer is here. No identifier, title or address is in a message or a repr.
"""
