"""Numbers from headers, and the volumes that these numbers allow. Pure: no IO, no pixels.

``facts``   reads a series' headers into ``Facts``; ``split`` in ``stacks`` decides from them alone
which frames make which volume, or by which Reason none.
"""
