"""What is taken for personal data, and what is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, luhn

from pipelines.data.personal_kinds import CARD, EMAIL, IBAN, MARKS, NATIONAL, PHONE, kinds_in, masked

PLANTED = {
    EMAIL: ["anna.smith@example.org", "o'neil+x@mail.example.co.uk", "a_b@x-y.de"],
    IBAN: ["DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "GB82 WEST 1234 5698 7654 32", "NO9386011117947"],
    CARD: ["4111111111111111", "4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "3530111333300000"],
    PHONE: ["+49 171 1234567", "0049 171 1234567", "+44 20 7946 0958", "(212) 736-5000", "212-736-5000"],
    NATIONAL: [
        "536-90-4399", "AB 12 34 56 C", "943 476 5919", "2 55 08 14 168 025 38", "255081416802538", "54362315K",
        "X-2482300W", "RCCMNL83S18D969H", "880320-0016", "131052-308T", "85.07.30-033.28", "756.9217.0769.85",
        "390.533.447-05", "2341 2341 2346", "360426199101010071", "123-456-782", "BOXW310820HNERXN09",
        "971013-9019902", "36 574 261 809", "151086 95088",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "written"), [(kind, each) for kind, all_ in PLANTED.items() for each in all_])
def test_each_kind_is_found_alone_in_a_sentence_and_in_a_file_name(kind, written):
    for text in (written, f"please write down {written}, thank you", f"scan_{written}_01.png"):
        if kind is EMAIL and text.startswith("scan"):
            continue  # an address may begin with `scan_`
        assert kinds_in([text]) == {kind: [0]}, text
        assert masked(text) == text.replace(written, MARKS[kind])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("4111111111111111 12/26", "[card] 12/26"),
        ("4111 1111 1111 1111 123", "[card] 123"),
        ("17 4111 1111 1111 1111", "17 [card]"),
        ("4111111111111111 5555555555554444", "[card] [card]"),
        ("+49 171 1234567 10:30", "[phone] 10:30"),
        ("KW34 IBAN DE89 3704 0044 0532 0130 00", "KW34 IBAN [iban]"),
        ("DE89370400440532013000 NO9386011117947", "[iban] [iban]"),
        ("1234 2341 2341 2346", "1234 [identity]"),
        ("4111111111111111@example.org", "[email]"),
        ("4111\u00a01111\u202f1111\u00a01111\u00a0€", "[card]\u00a0€"),
        ("212\u2011736\u20135000", "[phone]"),
        ("4111111111111111 and a@x.org of +49 171 1234567", "[card] and [email] of [phone]"),
        ("a@x.org, b@y.org and a@x.org", "[email], [email] and [email]"),
    ],
)
def test_neighbours_hide_none(text, left):
    assert masked(text) == left
    assert kinds_in([text])


def test_only_what_is_asked_for_is_masked():
    assert masked("a@x.org 4111111111111111", (EMAIL,)) == "[email] 4111111111111111"


@pytest.mark.parametrize(
    "text",
    ["240131-0007", "PN104233A", "732 829 320", "logo@2x.png", "git@github.com:x", "+1.2345678901", "+48.137154321",
     "order 0012345678901", "0306406152", "value 4532015112830366.5"],
)  # fmt: skip
def test_lot_numbers_coordinates_and_names_of_files_are_nobody(text):
    assert kinds_in([text] * 30) == {}
    assert masked(text) == text


@pytest.mark.parametrize("kind", [IBAN, CARD])
def test_one_wrong_digit_is_found_by_the_checksum(kind):
    for written in PLANTED[kind]:
        wrong = written[:-1] + str((int(written[-1]) + 1) % 10)
        assert kinds_in([wrong]) == {}, wrong
        assert masked(f"see {wrong}.") == f"see {wrong}."


def clean(rows=10_000, seed=0):
    """Columns such as tables have them, none of which says who somebody is."""
    random = np.random.default_rng(seed)
    words = np.array(["the", "loan", "was", "paid", "late", "on", "Monday", "by", "transfer", "no", "12", "of", "2021"])
    return {
        "orders": [str(number) for number in random.integers(10**15, 10**16, rows)],
        "short ids": [str(number) for number in random.integers(10**8, 10**9, rows)],
        "eleven digits": [str(number) for number in random.integers(10**10, 10**11, rows)],
        "hexadecimal": [f"{number:016X}" for number in random.integers(0, 2**63, rows)],
        "decimals": [repr(number) for number in random.normal(0, 1e6, rows)],
        "moments": [f"2021-{1 + n % 12:02}-{1 + n % 28:02}T{n % 24:02}:10:{n % 60:02}+01:00" for n in range(rows)],
        "codes": [f"{chr(65 + n % 26)}{chr(65 + n % 23)}{n:010}" for n in random.integers(0, 10**10, rows)],
        "texts": [" ".join(random.choice(words, 20)) for _ in range(rows)],
        "texts with orders": [f"order {number}, sent" for number in random.integers(10**15, 10**16, rows)],
        "amounts": [f"EUR {number:,.2f}" for number in random.gamma(1, 1e6, rows)],
        "versions": [f"{a}.{b}.{c}.{d}" for a, b, c, d in random.integers(0, 255, (rows, 4))],
    }


@pytest.mark.parametrize("column", clean(1))
def test_10_000_clean_rows_raise_no_alarm(column):
    assert kinds_in(clean()[column]) == {}


def peselled(number, seed=1):
    """So many different Polish numbers."""
    from stdnum.pl import pesel

    random, found = np.random.default_rng(seed), []
    while len(found) < number:
        day = f"{random.integers(40, 99)}{random.integers(1, 13):02}{random.integers(1, 29):02}"
        start = day + "".join(map(str, random.integers(0, 10, 4)))
        found.append(start + pesel.calc_check_digit(start))
    return found


def cards(valid, invalid):
    """So many numbers that begin like a card, by their last digit ones or not."""
    starts = [f"4{place:014}" for place in range(1, valid + invalid + 1)]
    digits = [int(luhn.calc_check_digit(each)) for each in starts]
    return [
        f"{start}{(digit + (at >= valid)) % 10}" for at, (start, digit) in enumerate(zip(starts, digits, strict=True))
    ]


def test_a_kind_is_told_where_half_of_what_has_its_form_is_one():
    assert kinds_in(cards(5, 5)) == {CARD: [0, 1, 2, 3, 4]}
    assert kinds_in(cards(9, 11)) == {}


def test_what_has_not_even_the_form_of_a_kind_hides_none():
    assert kinds_in([*cards(1, 0), "6666666666666", "2999999999999999"]) == {CARD: [0]}
    assert kinds_in(["DE89370400440532013000", "AB12 345678", "KW34 567890"]) == {IBAN: [0]}


def test_national_numbers_among_as_many_others_are_not_told():
    others = [str(number) for number in np.random.default_rng(1).integers(10**10, 10**11, 50)]
    assert kinds_in([*peselled(50), *others]) == {}


def test_so_many_different_national_numbers_and_no_fewer():
    other = [str(number) for number in range(10**10, 10**10 + 11)]
    assert kinds_in(peselled(20)) == {NATIONAL: list(range(20))}
    assert kinds_in(peselled(19)) == {}
    assert kinds_in(peselled(1) * 30) == {}, "one number again and again"
    assert NATIONAL in kinds_in([*peselled(90), *other[:10]])
    assert kinds_in([*peselled(89), *other]) == {}


@pytest.mark.parametrize(
    "text",
    ["a4111111111111111", "4111111111111111a", "14111111111111111", "4111111111111111.5", "XDE89370400440532013000",
     "DE89370400440532013000X", "4444444444444444", "x+491711234567", "1.+491711234567", "1212-736-5000",
     "212-736-50001", "0.4111111111111111", "-12,4111111111111111", "a@b", "a@b.c", "@example.org", "1536-90-4399"],
)  # fmt: skip
def test_what_goes_on_is_something_else(text):
    assert kinds_in([text]) == {}


@given(st.integers(0, 10**14 - 1), st.text("abc XYZ.,;\n", max_size=20), st.text("abc XYZ,;\n", max_size=20))
def test_no_card_survives_masking(number, before, after):
    start = f"4{number:014}"
    card = start + luhn.calc_check_digit(start)
    before = before if before[-1:] not in (",", ".") else before + " "
    before, after = (before + " " if before[-1:].isalpha() else before), (" " + after if after[:1].isalpha() else after)
    text = f"{before}{card}{after}"
    assert card not in masked(text)
    assert masked(text) == f"{before}[card]{after}"


@given(st.text("0123456789", min_size=18, max_size=18))
def test_no_iban_survives_masking(account):
    number = f"DE{iban.calc_check_digits(f'DE00{account}')}{account}"
    assert masked(f"to {number} today") == "to [iban] today"


def test_a_long_text_is_masked_in_no_time():
    assert masked("a@x.org " * 20_000) == "[email] " * 20_000
