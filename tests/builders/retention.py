"""Where a hub dies while it removes what is past its time."""

DEATHS = (
    "pare-written",
    "pare-written > before-commit",
    "pare-written > after-commit",
    "pared",
    "pared > pare-written",
    "pared > pared",
)
