"""What a hospital does with a release after it was made.

``crosswalk``  which pseudonym is which person, for the steward, with a reason that is kept
"""
