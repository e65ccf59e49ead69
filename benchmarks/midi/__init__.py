"""The ten actions of the MIDI-B challenge on made-up studies with an answer key.

- ``checks``: what is asked of one value, and how it is answered;
- ``studies``: patients, studies and series, and the answer key;
- ``score``: each action's share, and what was not done.
"""
