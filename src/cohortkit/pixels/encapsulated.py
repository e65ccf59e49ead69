"""What compressed pixels hide beside the picture, taken away without decoding, or refused.

Fragments whose stream is clean stay as they are. What a stream holds beside the picture is left
out of it, and then its frame becomes one fragment. Bits that a decoded sample has above those
stored can only be seen by decoding: where the stream has room for them, it is decoded, and what
uses them is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortkit.errors import Refusal
from cohortkit.model import Codec, PixelFormat, Reason
from cohortkit.pixels import codecs, codestreams, decode
from cohortkit.pixels.fragments import Frame, frames_of

_JPEG = frozenset(
    {
        Codec.JPEG_BASELINE,
        Codec.JPEG_EXTENDED,
        Codec.JPEG_LOSSLESS,
        Codec.JPEG_LOSSLESS_SV1,
        Codec.JPEG_LS,
        Codec.JPEG_LS_NEAR,
    }
)
_BYTE = 8


def cleaned(data: bytes, pixels: PixelFormat) -> tuple[tuple[Frame, ...], bool]:
    """The frames without what they hide, and whether the file had an offset table.

    Args:
        data: the fragments with their item tags.
        pixels: what the header says of them; ``codec`` is how they are read.

    Raises:
        Refusal: ``unsupported-pixels``, ``pixel-length``, ``pixel-stream``, ``hidden-bits``,
            ``no-decoder``, ``decode-failed``.
    """
    decode.check(pixels)
    frames, table = frames_of(data, pixels.frames)
    return tuple(_clean(frame, pixels) for frame in frames), table


def _clean(frame: Frame, pixels: PixelFormat) -> Frame:
    whole = frame[0] if len(frame) == 1 else b"".join(frame)
    if pixels.codec in _JPEG:
        stream, bits = codestreams.jpeg(whole)
    elif pixels.codec in codecs.WAVELETS:
        stream, bits = codestreams.jpeg2000(whole)
    elif pixels.codec is Codec.RLE:
        planes = pixels.bits_allocated // _BYTE * pixels.samples
        stream = codestreams.rle(whole, pixels.rows * pixels.columns, planes)
        bits = pixels.bits_allocated
    else:
        raise Refusal(Reason.UNSUPPORTED_PIXELS)
    if bits > pixels.bits_stored:
        _refuse_hidden_bits(codecs.decoder(pixels.codec)(stream, pixels), pixels)
    even = stream + b"\0" * (len(stream) & 1)
    return frame if even == whole else (even,)


def _refuse_hidden_bits(values: NDArray[Any], pixels: PixelFormat) -> None:
    """Refuse samples with bits above those stored that are not their sign.

    Raises:
        Refusal: ``hidden-bits``.
    """
    if values.dtype.kind not in "iu":
        raise Refusal(Reason.UNSUPPORTED_PIXELS)
    stored = pixels.bits_stored
    unsigned = values.view(f"u{values.dtype.itemsize}")
    if int(unsigned.max(initial=0)) < 1 << stored:
        return
    if pixels.signed:
        signed = values.view(f"i{values.dtype.itemsize}")
        up = values.dtype.itemsize * _BYTE - stored
        if np.array_equal(np.right_shift(np.left_shift(signed, up), up), signed):
            return
    raise Refusal(Reason.HIDDEN_BITS)
