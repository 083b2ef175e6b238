"""`--rows`: shares and numbers of rows, sorted; what cannot be is refused in words."""

import pytest

from pipelines.data.amounts import amounts, require_enough
from pipelines.errors import BadInput


def test_shares_and_numbers_may_be_mixed_and_are_sorted():
    found = amounts("100%, 50,2.5%,  10 %", 1000)
    assert [(each.written, each.share, each.rows) for each in found] == [
        ("2.5%", 0.025, 25), ("50", 0.05, 50), ("10 %", 0.1, 100), ("100%", 1.0, 1000),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0.1,100%", "'0.1' is neither a share nor a number of rows; write for example"),
        ("ten%,100%", "'ten%' is neither"),
        ("", "'' is neither"),
        ("10%,", "'' is neither"),
        ("-5%,100%", "'-5%' is neither"),
        ("0%,100%", "nothing can be learned from 0%"),
        ("0,100%", "nothing can be learned from 0"),
        ("100%", "needs two amounts or more"),
        ("10%,120%", r"120% is more than there is; 1,000 rows \(100%\)"),
        ("10%,1001", r"1001 is more than there is; 1,000 rows"),
        ("10%,10%", "10% and 10% are the same amount, 100 rows"),
        ("100,10%", "are the same amount, 100 rows; give each once"),
    ],
)
def test_what_cannot_be_is_said(text, said):
    with pytest.raises(BadInput, match=rf"--rows {text}: .*{said}" if text else said):
        amounts(text, 1000)


def test_too_little_names_what_would_do():
    wanted = amounts("1%,100%", 1000)
    require_enough("1%,100%", wanted, 0.01, 1000)
    with pytest.raises(BadInput, match=r"--rows 1%,100%: 1% leaves too few .* works here is 3\.3% \(33 rows\)"):
        require_enough("1%,100%", wanted, 0.033, 1000)
