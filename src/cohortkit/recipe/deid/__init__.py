"""deid's recipe language: read whole with every fault, and put on top of the basic profile."""
