"""From what a hospital knows to what may leave. ``engine.deidentify`` is the only way across.

``keyfile``     the key of a project: a file of mode 0600 or an environment variable
``identities``  keyed names, UIDs, tokens and date shifts
``tabled``      the same at random, out of a table; ``codes`` of a broker
``idtable``     that table: a file that grows in transactions
``people``      two identities that are one person
``gates``       what is held back unseen: names in pixels, faces, unknown objects
``regions``     which part of the body words name
``headers``     one header, asked by keyword
``rules``       the recipe's decisions, one for each kind of element
``walk``        one walk over a header; what passes goes into a new dataset
``values``      reading element values strictly and without a log line
``forms``       whether text has the form of its VR
``dates``  ``ages``  ``private``  ``dummies``  ``labels``  ``statement``  ``engine``
"""
