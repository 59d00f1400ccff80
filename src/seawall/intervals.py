"""How sure a share is that was counted: two right of two say less than two hundred of two hundred."""

from __future__ import annotations

import math

# The 0.975 quantile of the standard normal distribution, for an interval of 95 %.
Z95 = 1.959964


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The interval of a share that was seen `part` times in `whole`, at 95 % (E. B. Wilson, "Probable inference, the
    law of succession, and statistical inference", 1927). Nothing seen says nothing: 0 to 1."""
    if not whole:
        return 0.0, 1.0
    share = part / whole
    middle = share + Z95 * Z95 / (2 * whole)
    spread = Z95 * math.sqrt(share * (1 - share) / whole + Z95 * Z95 / (4 * whole * whole))
    below = 1 + Z95 * Z95 / whole
    return max(0.0, (middle - spread) / below), min(1.0, (middle + spread) / below)
