"""What a hospital does with a release after it was made.

``crosswalk``  which pseudonym is which person, for the steward, with a reason that is kept
``inventory``  what a release lets out, value by value, for whoever signs it
"""
