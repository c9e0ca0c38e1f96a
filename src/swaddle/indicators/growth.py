"""Birth weight for gestational age: the weight under which a given share of healthy newborns lies. Pure.

INTERGROWTH-21st newborn size standards. From 33 weeks (231 days): Villar 2014, doi:10.1016/S0140-6736(14)60932-6, a
skew Student t distribution; its parameters per day are published with the R package growthstandards (MIT) and follow
the smooth curves below, found by regression, to one in a million. Under 33 weeks: Villar 2016,
doi:10.1016/S0140-6736(16)00384-6, a log-normal. Checked against the published centiles (tests/unit/indicators).

Another reference is a plug-in: a `Reference` in REFERENCES, given by the function that says a centile's weight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist
from typing import Literal

Sex = Literal["F", "M"]

FIRST_STANDARD_DAY = 231  # 33+0: the newborn standard; before it, the very preterm reference
_LOW_KG, _HIGH_KG = 0.1, 9.0


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A growth reference.

    Attributes:
        weight: the weight in grams at a centile (0 to 1), for a sex and an age in days.
        days: first and last day of gestation that it covers.
        source: where it is from.
    """

    title: str
    weight: Callable[[Sex, int, float], float]
    days: tuple[int, int]
    source: str


@dataclass(frozen=True, kw_only=True)
class _SkewT:
    """One sex's parameters: mu in kg by weeks, the logarithm of sigma by 266/days - 1."""

    mu: tuple[float, float, float]
    log_sigma: tuple[float, float, float]
    nu: float
    tau: float


_CURVES: Mapping[Sex, _SkewT] = {
    "F": _SkewT(
        mu=(-125.71138181, 55.14936586, -9.42464775),
        log_sigma=(-0.9844872, -0.41989332, -0.20994515),
        nu=1.126787,
        tau=19.65738,
    ),
    "M": _SkewT(
        mu=(-106.51515063, 46.21570852, -7.81980674),
        log_sigma=(-0.92897123, 0.11960326, 0.059794913),
        nu=1.095261,
        tau=17.05299,
    ),
}
_PRETERM_VARIANCE = 0.0373218  # of the logarithm of the weight in kg


def intergrowth_weight(sex: Sex, days: int, centile: float) -> float:
    """The weight in grams under which this share of newborns of the standard lies.

    Args:
        sex: of the child.
        days: of gestation, 168 to 300.
        centile: between 0 and 1.

    Raises:
        ValueError: outside the standard.
    """
    if not 168 <= days <= 300 or not 0 < centile < 1:
        raise ValueError("the standard covers 168 to 300 days, and a centile lies between 0 and 1")
    if days < FIRST_STANDARD_DAY:
        middle = -7.00303 + 1.325911 * sqrt(days / 7) + (0.0571937 if sex == "M" else 0.0)
        return 1000 * exp(middle + sqrt(_PRETERM_VARIANCE) * NormalDist().inv_cdf(centile))
    low, high = _LOW_KG, _HIGH_KG
    while high - low > 1e-5:
        half = (low + high) / 2
        low, high = (half, high) if _share_below(sex, days, half) < centile else (low, half)
    return 1000 * (low + high) / 2


@cache
def thresholds(name: str, centile: float) -> dict[Sex, tuple[float, ...]]:
    """A reference's weights in grams at a centile, for each day that it covers.

    Raises:
        KeyError: there is no reference of that name.
    """
    reference = REFERENCES[name]
    first, last = reference.days
    return {sex: tuple(reference.weight(sex, day, centile) for day in range(first, last + 1)) for sex in _CURVES}


def _share_below(sex: Sex, days: int, weight_kg: float) -> float:
    """The skew t distribution (ST3 of gamlss), as the domain's specification gives it."""
    curve = _CURVES[sex]
    weeks, inverse = days / 7, 266 / days - 1
    mu = curve.mu[0] + curve.mu[1] * sqrt(weeks) + curve.mu[2] * sqrt(weeks) * log(weeks)
    sigma = exp(curve.log_sigma[0] + curve.log_sigma[1] * inverse + curve.log_sigma[2] * inverse * inverse)
    apart, nu = (weight_kg - mu) / sigma, curve.nu
    if apart < 0:
        return 2 / (1 + nu * nu) * _student(nu * apart, curve.tau)
    return (1 + nu * nu * (2 * _student(apart / nu, curve.tau) - 1)) / (1 + nu * nu)


def _student(value: float, freedom: float) -> float:
    """Student's t distribution up to `value`, for any positive number of degrees of freedom."""
    tail = _beta_share(freedom / 2, 0.5, freedom / (freedom + value * value)) / 2
    return tail if value < 0 else 1 - tail


def _beta_share(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function by its continued fraction.

    Source: NIST Digital Library of Mathematical Functions, 8.17.22; checked against scipy.
    """
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_share(b, a, 1 - x)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    fraction, c, d = 1.0, 1.0, 0.0
    for step in range(300):
        half = step // 2
        if step == 0:
            term = 1.0
        elif step % 2 == 0:
            term = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        else:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        d = 1 / _not_nothing(1 + term * d)
        c = _not_nothing(1 + term / c)
        fraction *= c * d
        if abs(1 - c * d) < 1e-12:
            break
    return front * (fraction - 1)


def _not_nothing(value: float) -> float:
    return value if abs(value) > 1e-30 else 1e-30


REFERENCES: dict[str, Reference] = {
    "intergrowth": Reference(
        title="INTERGROWTH-21st newborn size",
        weight=intergrowth_weight,
        days=(168, 300),
        source="Villar 2014, doi:10.1016/S0140-6736(14)60932-6; Villar 2016, doi:10.1016/S0140-6736(16)00384-6",
    ),
}
