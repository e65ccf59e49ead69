"""The traces that a person leaves in headers: what cleaning takes out and the search looks for.

``fields``     which attributes identify, and as what
``spellings``  the usual ways to write names, numbers and places
``scripts``    letters of one script in those of another
``days``       the usual ways to write a day; ``months``, their names
``dated``      whether a text tells a day, ``aged`` an age, ``born`` a birth, of anybody
``patterns``   all of it for one source patient, ready to be found
``find``       where it stands in a text
"""
