# SPDX-License-Identifier: MIT
# LAB.SO: the same samples to the lab's functions (sample.c, difference.c) and to SciPy; every answer must be the same.
import ctypes
import math
import random
import sys

import numpy
from scipy import stats

lab = ctypes.CDLL(sys.argv[1])
DOUBLE, SIZE = ctypes.c_double, ctypes.c_size_t


class Sample(ctypes.Structure):
    _fields_ = [("values", ctypes.POINTER(DOUBLE)), ("count", SIZE), ("size", SIZE), ("sorted", ctypes.c_bool)]


class Difference(ctypes.Structure):
    _fields_ = [("estimate", DOUBLE), ("low", DOUBLE), ("high", DOUBLE), ("p", DOUBLE)]


class Share(ctypes.Structure):
    _fields_ = [("count", DOUBLE), ("of", DOUBLE)]


for function, restype, argtypes in (
    ("sample_add", ctypes.c_int, [ctypes.POINTER(Sample), DOUBLE]),
    ("sample_quantile", ctypes.c_bool, [ctypes.POINTER(Sample), DOUBLE, ctypes.POINTER(DOUBLE)]),
    ("sample_median_interval", ctypes.c_bool, [ctypes.POINTER(Sample)] + 2 * [ctypes.POINTER(DOUBLE)]),
    ("difference_mann_whitney", DOUBLE, [SIZE, SIZE, SIZE]),
    ("difference_student", DOUBLE, [DOUBLE, SIZE]),
    ("difference_of_values", ctypes.c_int, 2 * [ctypes.POINTER(DOUBLE), SIZE] + [DOUBLE, ctypes.POINTER(Difference)]),
    ("difference_of_shares", ctypes.c_int, 2 * [ctypes.POINTER(Share), SIZE] + [ctypes.POINTER(Difference)]),
    ("difference_adjust", ctypes.c_int, [ctypes.POINTER(DOUBLE), SIZE]),
):
    getattr(lab, function).restype = restype
    getattr(lab, function).argtypes = argtypes


def same(ours, theirs, what, relative=1e-9, absolute=1e-12):
    assert math.isclose(ours, theirs, rel_tol=relative, abs_tol=absolute), f"{what}: {ours!r}, SciPy {theirs!r}"


def doubles(values):
    return (DOUBLE * len(values))(*values)


def of_values(a, b, margin=0.0):
    difference = Difference()
    assert lab.difference_of_values(doubles(a), len(a), doubles(b), len(b), margin, difference) == 0
    return difference


def of_shares(a, b):
    difference = Difference()
    blocks = [(Share * len(side))(*side) for side in (a, b)]
    assert lab.difference_of_shares(blocks[0], len(a), blocks[1], len(b), difference) == 0
    return difference


def quantiles(dice):
    for count in (1, 2, 5, 6, 7, 10, 31, 100, 1000):
        values = [dice.lognormvariate(3, 2) for _ in range(count)]
        sample, value, low, high = Sample(), DOUBLE(), DOUBLE(), DOUBLE()
        for one in values:
            assert lab.sample_add(sample, one) == 0
        for q in (0.01, 0.25, 0.5, 0.9, 0.99, 1.0):
            assert lab.sample_quantile(sample, q, value)
            same(value.value, numpy.quantile(values, q, method="inverted_cdf"), f"quantile {q} of {count}")
        # How many lie outside at each end, by the binomial distribution.
        outside = next(k for k in range(count + 1) if stats.binom.cdf(k, count, 0.5) > 0.025)
        assert lab.sample_median_interval(sample, low, high) == (outside > 0), count
        if outside:
            same(low.value, sorted(values)[outside - 1], f"lower end of {count}")
            same(high.value, sorted(values)[-outside], f"upper end of {count}")


def mann_whitney():
    # SciPy tells no distribution of U, but the p of samples that have it: a has u pairs below b.
    for n, m in ((1, 1), (3, 5), (6, 6), (8, 8), (6, 30), (20, 20), (50, 50)):
        for u in sorted({0, 1, 2, n * m // 4, n * m // 3, n * m // 2, n * m - 1, n * m}):
            full, rest = divmod(u, n)
            a = [2.0 * (i + 1) for i in range(n)]
            b = [1e9 + i for i in range(full)] + ([2.0 * rest + 1] if rest else [])
            b += [-1.0 - i for i in range(m - len(b))]
            theirs = stats.mannwhitneyu(b, a, alternative="less", method="exact")
            assert theirs.statistic == u, (theirs, u)
            same(lab.difference_mann_whitney(n, m, u), theirs.pvalue, f"P(U <= {u}) of {n} and {m}", 1e-7)


def values(dice):
    for n, m, shift in ((6, 6, 0), (6, 6, 3), (7, 12, 0.5), (8, 8, 1), (20, 15, 0.3), (50, 50, 0.2), (80, 70, 0.1)):
        a = [dice.gauss(5, 1) for _ in range(n)]
        b = [dice.gauss(5 + shift, 1.5) for _ in range(m)]
        exact = n <= 50 and m <= 50
        ours = of_values(a, b)
        pairs = sorted(y - x for x in a for y in b)
        same(ours.estimate, numpy.median(pairs), f"shift of {n} and {m}")
        theirs = stats.mannwhitneyu(a, b, method="exact" if exact else "asymptotic")
        same(ours.p, theirs.pvalue, f"p of {n} and {m}", 1e-7)
        # The interval is all shifts that the test does not refuse.
        for end, inside in ((ours.low, 1e-9), (ours.high, -1e-9)):
            method = "exact" if exact else "asymptotic"
            kept = stats.mannwhitneyu(a, [y - end - inside for y in b], method=method).pvalue
            refused = stats.mannwhitneyu(a, [y - end + inside for y in b], method=method).pvalue
            assert refused <= 0.05 < kept, (n, m, refused, kept)
        # Beyond a margin: as many pairs as pass it.
        margin = 0.4
        beyond = of_values(a, b, margin)
        assert (beyond.low, beyond.high) == (ours.low, ours.high)
        up = stats.mannwhitneyu([y - margin for y in b], a, alternative="greater", method="exact" if exact else "asymptotic")
        down = stats.mannwhitneyu([y + margin for y in b], a, alternative="less", method="exact" if exact else "asymptotic")
        same(beyond.p, min(1, 2 * min(up.pvalue, down.pvalue)), f"p of {n} and {m} beyond a margin", 1e-7)


def student():
    for degrees in (1, 2, 3, 4, 5, 10, 14, 15, 38):
        for t in (0.0, 0.3, 1.0, 2.2, 4.0, 9.0):
            same(lab.difference_student(t, degrees), 2 * stats.t.sf(t, degrees), f"t {t}, {degrees} degrees", 1e-7)
    same(lab.difference_student(-1.96, 0), 2 * stats.norm.sf(1.96), "the normal tail")


def newcombe(x1, n1, x2, n2):
    low1, high1 = stats.binomtest(x1, n1).proportion_ci(0.95, "wilson")
    low2, high2 = stats.binomtest(x2, n2).proportion_ci(0.95, "wilson")
    p1, p2 = x1 / n1, x2 / n2
    shift = p2 - p1
    return shift - math.hypot(p2 - low2, high1 - p1), shift + math.hypot(high2 - p2, p1 - low1)


def shares(dice):
    # Blocks that are all alike: nothing but Newcombe's interval.
    for per_block, all_blocks, of in ((0, 1, 60), (1, 2, 60), (5, 30, 60), (60, 60, 60), (0, 60, 60), (3, 3, 10)):
        ours = of_shares([(per_block, of)] * 8, [(all_blocks, of)] * 6)
        low, high = newcombe(8 * per_block, 8 * of, 6 * all_blocks, 6 * of)
        same(ours.low, low, "Newcombe, lower end")
        same(ours.high, high, "Newcombe, upper end")
        assert (ours.p < 0.05) == (low > 0 or high < 0), (ours.p, low, high)
    # What Newcombe himself has (1998, table II): 56 of 70 and 48 of 80.
    ours = of_shares([(56, 70)] + [(0, 0)] * 5, [(48, 80)] + [(0, 0)] * 5)
    assert (round(-ours.high, 4), round(-ours.low, 4)) == (0.0524, 0.3339), (ours.low, ours.high)
    # Blocks that differ: Pearson's X2 says by how much, and the interval is wider in that measure.
    a = [(dice.choice((2, 20)), 60) for _ in range(8)]
    b = [(dice.choice((10, 40)), 60) for _ in range(10)]
    chi2 = 0
    for side in (a, b):
        table = [[x for x, _ in side], [of - x for x, of in side]]
        chi2 += stats.chi2_contingency(table, correction=False)[0]
    degrees = len(a) + len(b) - 2
    dispersion = chi2 / degrees
    assert dispersion > 2
    z = stats.t.ppf(0.975, degrees)

    def wilson(x, n):
        middle, half = (x + z * z / 2) / (n + z * z), z / (n + z * z) * math.sqrt(x * (n - x) / n + z * z / 4)
        return middle - half, middle + half

    x1, n1 = (sum(x for x, _ in a) / dispersion, 480 / dispersion)
    x2, n2 = (sum(x for x, _ in b) / dispersion, 600 / dispersion)
    (low1, high1), (low2, high2) = wilson(x1, n1), wilson(x2, n2)
    ours = of_shares(a, b)
    same(ours.low, x2 / n2 - x1 / n1 - math.hypot(x2 / n2 - low2, high1 - x1 / n1), "dispersed, lower end", 1e-7)
    same(ours.high, x2 / n2 - x1 / n1 + math.hypot(high2 - x2 / n2, x1 / n1 - low1), "dispersed, upper end", 1e-7)


def holm(dice):
    for count in (1, 2, 7, 40):
        values = [dice.choice((dice.random(), dice.random() / 50)) for _ in range(count)]
        ours = doubles(values)
        assert lab.difference_adjust(ours, count) == 0
        for i, p in enumerate(values):
            smaller = sorted(values)
            theirs = max(min(1, (count - k) * q) for k, q in enumerate(smaller) if q <= p)
            same(ours[i], theirs, f"Holm {i} of {count}")


def coverage(dice):
    # What all this is for: the interval has the true shift in it as often as it says, and rather more often.
    inside = 0
    for _ in range(2000):
        a = [dice.lognormvariate(0, 1) for _ in range(8)]
        b = [dice.lognormvariate(0, 1) + 0.7 for _ in range(8)]
        ours = of_values(a, b)
        inside += ours.low <= 0.7 <= ours.high
    assert 0.94 <= inside / 2000 <= 0.985, inside / 2000
    # Shares of one block only chance tells apart; of the other kind, each block has a share of its own.
    for spread in (0, 0.1):
        found = 0
        for _ in range(1000):
            sides = [[(sum(dice.random() < q for _ in range(40)), 40) for q in
                      (min(1, max(0, 0.3 + dice.gauss(0, spread))) for _ in range(8))] for _ in range(2)]
            found += of_shares(*sides).p <= 0.05
        assert found <= 75, (spread, found)


def main():
    dice = random.Random(1)
    quantiles(dice)
    mann_whitney()
    values(dice)
    student()
    shares(dice)
    holm(dice)
    coverage(dice)


main()
