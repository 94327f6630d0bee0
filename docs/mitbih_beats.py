"""Make `mitbih_beats.npz`, heartbeats of which notebook 07 learns, from the MIT-BIH arrhythmia database.

    pip install wfdb
    python docs/mitbih_beats.py mitdb/ mitbih_beats.npz

The folder holds the 48 records of PhysioNet's mitdb 1.0.0 (ODC-By 1.0; cite Moody & Mark 2001 and Goldberger
et al. 2000), `100.hea`, `100.dat`, `100.atr` and so on. Beats are of lead MLII, 0.27 s before the annotation
to 0.44 s after it, two samples of 360 Hz summed to one; classes are those of AAMI; DS1 to train on and DS2 to
test on are those of de Chazal et al. (2004), paced patients left out.
"""

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import wfdb

DS1 = "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230"
DS2 = "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234"
CLASSES = {"N": "NLRej", "S": "AaJS", "V": "VE", "F": "F", "Q": "/fQ"}
CLASS_OF = {symbol: name for name, symbols in CLASSES.items() for symbol in symbols}
BEFORE, AFTER = 96, 160
"""Samples of a beat, at 360 Hz."""

FEATURES = ("RR before", "RR after")
"""Intervals in samples of 360 Hz; where a record begins or ends, its median stands."""


def beats(folder, name):
    """Return values, classes and features of the beats of one record."""
    record = wfdb.rdrecord(str(folder / name), physical=False)
    lead = record.d_signal[:, record.sig_name.index("MLII")].astype(np.int32)
    annotated = wfdb.rdann(str(folder / name), "atr")
    known = [
        (at, CLASS_OF[s]) for at, s in zip(annotated.sample, annotated.symbol, strict=True) if s in CLASS_OF
    ]
    rr = np.diff([at for at, _ in known])
    rr = np.concatenate([[np.median(rr)], rr, [np.median(rr)]])
    found = []
    for (middle, label), intervals in zip(known, pairwise(rr), strict=True):
        if BEFORE <= middle <= len(lead) - AFTER:
            values = lead[middle - BEFORE : middle + AFTER].reshape(-1, 2).sum(axis=1) - 2048
            found.append((values, label, intervals))
    return found


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, output = Path(sys.argv[1]), Path(sys.argv[2])
    arrays = {"feature_names": np.array(FEATURES)}
    for part, names in (("train", DS1), ("test", DS2)):
        found = [(name, *beat) for name in names.split() for beat in beats(folder, name)]
        groups, signals, labels, features = zip(*found, strict=True)
        arrays[f"{part}_signals"] = np.array(signals, np.int16)
        arrays[f"{part}_labels"] = np.array(labels)
        arrays[f"{part}_groups"] = np.array(groups)
        arrays[f"{part}_features"] = np.array(features, np.float32)
    np.savez_compressed(output, **arrays)


if __name__ == "__main__":
    main()
