"""Cleaning of text: what names someone goes, the words of the trade stay (PS3.15 E.3.5, 113105).

``known``    what is known of the patient, in its usual spellings
``shapes``   what is told by its form: dates, times, telephones, numbers of things, addresses
``words``    what is no word of the trade
``cleaner``  all of it on one value, and what is reported
"""
