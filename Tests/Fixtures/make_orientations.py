#!/usr/bin/env python3
"""Makes orientations.json beside this file: how nibabel reads the transforms of headers.

    python3 -m venv venv && venv/bin/pip install nibabel==5.4.2 numpy==2.4.6
    venv/bin/python Tests/Fixtures/make_orientations.py

Each case is what a NIfTI-2 header says (codes, pixdim, quaternion, affine rows, units) and what follows from it: the
orientation that nibabel names ("?" for an axis without direction), the volume of a voxel in cubic millimetres, which is
the determinant of nibabel's affine, and the lengths of its columns in millimetres. `--random N` makes a file of N
random transforms more, `--output` writes it elsewhere.
"""

import argparse
import itertools
import json
import pathlib

import nibabel
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
UNITS = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}


def case(name, rows=None, sform_code=1, qform_code=0, pixdim=(1, 1, 1), quaternion=(0, 0, 0), qfac=1, units=2):
    rows = np.eye(3, 4) if rows is None else np.asarray(rows, float)
    header = nibabel.Nifti2Header()
    header.set_data_shape((2, 3, 4))
    header["pixdim"][:4] = (qfac, *pixdim)
    header["sform_code"], header["qform_code"] = sform_code, qform_code
    header["srow_x"], header["srow_y"], header["srow_z"] = rows
    header["quatern_b"], header["quatern_c"], header["quatern_d"] = quaternion
    affine = header.get_best_affine()
    return {
        "name": name, "rows": rows.tolist(), "sform_code": sform_code, "qform_code": qform_code,
        "pixdim": list(map(float, pixdim)), "quaternion": list(map(float, quaternion)), "qfac": qfac, "units": units,
        "orientation": "".join(letter or "?" for letter in nibabel.aff2axcodes(affine)),
        "cubic_millimetres": abs(float(np.linalg.det(affine[:3, :3]))) * UNITS[units] ** 3,
        "millimetres": (nibabel.affines.voxel_sizes(affine) * UNITS[units]).tolist(),
    }  # fmt: skip


def rotation(random):
    q, r = np.linalg.qr(random.normal(size=(3, 3)))
    return q * np.sign(np.diag(r))


def zooms(random):
    return np.exp(random.uniform(-1, 1.5, 3))


def with_origin(matrix, random):
    return np.column_stack([matrix, random.uniform(-100, 100, 3)])


def oblique(random):
    return with_origin(rotation(random) * zooms(random), random)


def sheared(random, most=1.5):
    shear = np.eye(3) + np.triu(random.uniform(-most, most, (3, 3)), 1)
    return with_origin(rotation(random) @ np.diag(zooms(random)) @ shear, random)


def aligned(random):
    for index, order in enumerate(itertools.permutations(range(3))):
        for flip in (index % 8, (3 * index + 5) % 8):
            signs = [1 - 2 * (flip >> axis & 1) for axis in range(3)]
            yield with_origin((np.eye(3)[:, order] * signs) * zooms(random), random)


def random_quaternion(random):
    q = random.normal(size=4)
    q /= np.linalg.norm(q)
    return (q if q[0] >= 0 else -q)[1:]


def cases(random):
    for index, rows in enumerate(aligned(random)):
        yield case(f"aligned {index}", rows)
    for index in range(10):
        yield case(f"oblique {index}", oblique(random))
    for index in range(16):
        yield case(f"sheared {index}", sheared(random, 0.6 if index < 6 else 3))
    # The largest component of x, y and z is right, right and up.
    yield case("two columns to the right", [[2, 0.8, 0, 0], [0, 0.6, 0, 0], [0, 0, 3, 0]])
    yield case("sheared, the volume is less than that of the edges", [[1, 0.9, 0, 0], [0, 0.8, 0, 0], [0, 0, 1, 0]])
    yield case("a column of zeros", [[0, 0, 0, 0], [0, -2, 0, 0], [0, 0, 3, 0]])
    yield case("two columns alike", [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]])
    yield case("nothing but zeros", np.zeros((3, 4)))
    for units in (0, 1, 2, 3):
        yield case(f"units {units}", np.diag([2.0, 3, 4]) @ np.eye(3, 4), units=units)
    for index in range(8):
        yield case(
            f"quaternion {index}", rows=oblique(random), sform_code=0, qform_code=1 + index % 4, pixdim=zooms(random),
            quaternion=random_quaternion(random), qfac=1 - 2 * (index & 1), units=(2, 3)[index // 4],
        )  # fmt: skip
    yield case("both, of which the affine rows count", oblique(random), 2, 1, zooms(random), (0, 1, 0), -1)
    yield case("neither", oblique(random), 0, 0, (1.5, 2, 2.5), (0, 1, 0), 1)
    yield case("neither, in metres", oblique(random), 0, 0, (0.001, 0.002, 0.003), (0, 0, 1), -1, units=1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--random", type=int, default=0, metavar="N")
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "orientations.json")
    options = parser.parse_args()
    random = np.random.default_rng(7)
    made = list(cases(random))
    for index in range(options.random):
        made.append(case(f"random {index}", sheared(random, (0, 0.3, 1, 3, 10)[index % 5])))
    lines = ",\n".join(json.dumps(one) for one in made)
    options.output.write_text(f"[\n{lines}\n]\n")
    print(f"{len(made)} cases")


if __name__ == "__main__":
    main()
