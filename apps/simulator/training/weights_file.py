"""Writes safetensors. The format is a length, a JSON header and the tensors, so no further package is needed."""

import json
import os
import struct

import numpy as np

DTYPES = {np.dtype(np.float32): "F32", np.dtype(np.float16): "F16"}


def as_stored(tensor):
    """Convolutions in 16 bits. Statistics and slopes stay in 32: variances of pre-processed pixels are too small."""
    array = tensor.detach().cpu().contiguous().numpy()
    return array.astype(np.float16) if array.ndim == 4 else array.astype(np.float32)


def save(path, state, metadata):
    """The file appears complete or not at all. Metadata is text by text, as the format has it."""
    arrays = {name: as_stored(tensor) for name, tensor in sorted(state.items())}
    header = {"__metadata__": metadata}
    offset = 0
    for name, array in arrays.items():
        end = offset + array.nbytes
        header[name] = {"dtype": DTYPES[array.dtype], "shape": list(array.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    partial = f"{path}.partial"
    with open(partial, "wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for array in arrays.values():
            file.write(array.tobytes())
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def load(path):
    """Tensors as float32 arrays, and the metadata."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    names = {text: dtype for dtype, text in DTYPES.items()}
    arrays = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        array = np.frombuffer(data[begin:end], names[entry["dtype"]]).reshape(entry["shape"])
        arrays[name] = array.astype(np.float32)
    return arrays, metadata
