"""Tracking numbers that nobody has: of the shape and with the check digits that each carrier's have."""

from __future__ import annotations

import random

OWN = "cj-packet"


def number(carrier: str, seed: str) -> str:
    """A number of this carrier (a code of the catalogue). The same seed gives the same number."""
    digits = random.Random(f"{carrier} {seed}")

    def some(count: int) -> str:
        return "".join(digits.choice("0123456789") for _ in range(count))

    match carrier:
        case "cj-packet":
            return f"CJP{some(13)}"
        case "yunexpress":
            return f"YT2{some(15)}"
        case "4px":
            return f"4PX3{some(12)}CN"
        case "yanwen":
            serial = some(8)
            return f"UJ{serial}{s10_check_digit(serial)}YP"
        case "usps":
            body = f"94001{some(16)}"
            return f"{body}{mod10_check_digit(body)}"
    raise ValueError(f"No numbers are made up for {carrier!r}.")


def s10_check_digit(serial: str) -> str:
    """The ninth digit of a postal S10 number: weights 8 6 4 2 3 5 9 7, modulo 11.

    https://www.upu.int/UPU/media/upu/files/postalSolutions/programmesAndServices/standards/S10-12.pdf
    """
    rest = 11 - sum(int(d) * weight for d, weight in zip(serial, (8, 6, 4, 2, 3, 5, 9, 7), strict=True)) % 11
    return {10: "0", 11: "5"}.get(rest, str(rest))


def mod10_check_digit(body: str) -> str:
    """The last digit of a USPS number: 3, 1, 3 … from the right, up to a full ten.

    https://postalpro.usps.com/shipping/impb/IMpb_Barcode_Tech_Spec
    """
    return str(-sum(int(d) * (3 if place % 2 == 0 else 1) for place, d in enumerate(reversed(body))) % 10)
