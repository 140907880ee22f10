"""Small systems of linear equations, and the two distributions that intervals need. No library for so little."""

import math
from collections.abc import Sequence
from statistics import NormalDist

Matrix = list[list[float]]


def solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float] | None:
    """The solution of a square system by elimination with partial pivoting; None when it has none.

    Source: Golub and Van Loan, Matrix Computations, algorithm 3.4.1.
    """
    size = len(right)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        if abs(rows[pivot][column]) < 1e-300 or not math.isfinite(rows[pivot][column]):
            return None
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for row in range(column + 1, size):
            factor = rows[row][column] / rows[column][column]
            if factor:
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    found = [0.0] * size
    for row in reversed(range(size)):
        known = sum(rows[row][column] * found[column] for column in range(row + 1, size))
        found[row] = (rows[row][size] - known) / rows[row][row]
    return found if all(map(math.isfinite, found)) else None


def inverse(matrix: Sequence[Sequence[float]]) -> Matrix | None:
    """The inverse; None when there is none."""
    size = len(matrix)
    columns = [solve(matrix, [float(row == column) for row in range(size)]) for column in range(size)]
    found = [column for column in columns if column is not None]
    return [[found[column][row] for column in range(size)] for row in range(size)] if len(found) == size else None


def product(left: Matrix, right: Matrix) -> Matrix:
    """The product of two matrices."""
    return [
        [sum(a * b for a, b in zip(row, column, strict=True)) for column in zip(*right, strict=True)] for row in left
    ]


def transposed(matrix: Matrix) -> Matrix:
    """Rows as columns."""
    return [list(column) for column in zip(*matrix, strict=True)]


def normal_quantile(share: float) -> float:
    """The standard normal quantile."""
    return NormalDist().inv_cdf(share)


def student_quantile(share: float, freedom: float) -> float:
    """Student's t quantile, within 1 % from 3 degrees of freedom on and on the safe side below.

    Source: Abramowitz and Stegun, 26.7.5 (Cornish-Fisher expansion in 1/freedom).
    """
    z, n = normal_quantile(share), max(freedom, 2.0)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / n**power for power, term in enumerate(terms, 1))
