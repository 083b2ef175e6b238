"""What the page is made of: scales of small plots, and figures that are taken in without being trusted."""

import base64
import math
from xml.etree import ElementTree as Xml

import pytest

from pipelines.report.drawing import as_svg
from pipelines.report.estimate import Estimate
from pipelines.report.figures import Curve, roc
from pipelines.report.page import pictures
from pipelines.report.page.parts import Row, Table
from pipelines.report.page.pictures import Pictures, drawing
from pipelines.report.page.scales import MARGIN, scale_of

from .page_reports import HOSTILE, drawn

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 72 36">{}</svg>'


def taken(inside, name="a/b"):
    found = drawing(name, SVG.format(inside).encode())
    return "" if found is None else str(found.inside)


def test_a_scale_holds_its_ends_within_the_margin_and_orders_what_lies_between():
    scale = scale_of([Estimate(0.5, 0.4, 0.6), Estimate(0.8, 0.7, 0.9), Estimate(math.nan)])
    assert (scale.low, scale.high) == (0.4, 0.9)
    assert (scale.place(0.4), scale.place(0.9)) == (MARGIN, 100 - MARGIN)
    assert scale.place(0.65) == 50
    assert scale.place(-5) == MARGIN
    assert (scale.beyond(0.39), scale.beyond(0.5), scale.beyond(0.91)) == ("left", "", "right")


def test_a_scale_of_nothing_is_none_and_one_of_a_single_value_has_room():
    assert scale_of([Estimate(math.nan), Estimate(math.inf)]) is None
    alone = scale_of([Estimate(0.0)])
    assert alone.low < 0 < alone.high


def test_a_mark_is_held_only_where_it_is_asked_for():
    assert not scale_of([Estimate(0.8, 0.7, 0.9)], 0.5).has_mark
    held = scale_of([Estimate(0.8, 0.7, 0.9)], 0.5, hold=True)
    assert held.has_mark
    assert held.low == 0.5
    assert not scale_of([Estimate(0.8, 0.7, 0.9)]).has_mark


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.801, 0.871, ["0.82", "0.84", "0.86"]),
        (-0.05, 0.0459, ["-0.050", "-0.025", "0.000", "0.025"]),
        (0, 1, ["0.00", "0.25", "0.50", "0.75", "1.00"]),
        (-1234, 2000, ["-1,000", "0", "1,000", "2,000"]),
    ],
)
def test_ticks_are_few_and_round(low, high, labels):
    scale = scale_of([Estimate(low), Estimate(high)])
    assert [label for _, label in scale.ticks] == labels
    assert [place for place, _ in scale.ticks] == [scale.place(float(label.replace(",", ""))) for label in labels]


def test_a_table_unfolds_only_what_is_worth_it():
    rows = tuple(Row((str(n),)) for n in range(9))
    assert [len(part) for part in (Table("t", (), rows, most=8).open, Table("t", (), rows, most=8).folded)] == [9, 0]
    assert [len(part) for part in (Table("t", (), rows, most=7).open, Table("t", (), rows, most=7).folded)] == [7, 2]


def test_a_figure_of_ours_follows_the_colours_of_the_page_and_keeps_its_words():
    found = drawing("mlp/roc", as_svg(roc({"mlp & <b>": Curve([0, 1], [0, 1])})))
    inside = str(found.inside)
    assert "mlp &amp; &lt;b&gt;" in inside
    assert 'stroke="var(--c1)"' in inside
    assert 'fill="var(--paper)"' in inside
    assert "#0072b2" not in inside.lower()
    assert "style=" not in inside
    assert (found.id, found.width, found.height) == ("mlp-roc", 595, 518)
    assert "font-size" in inside


def test_the_same_figure_gives_the_same_bytes_without_a_date():
    one, two = drawn()[0], drawn()[0]
    assert one == two
    assert b"date" not in one


def test_ids_of_two_figures_never_meet_and_each_refers_to_its_own():
    for name, prefix in (("one", "one-"), ("mlp/two", "mlp-two-")):
        inside = str(drawing(name, drawn()[0]).inside)
        root = Xml.fromstring(f"<svg>{inside}</svg>")  # noqa: S314  our own
        ids = {each.get("id") for each in root.iter() if each.get("id")}
        used = {each.get("href")[1:] for each in root.iter() if each.get("href")}
        used |= {each.get("clip-path")[5:-1] for each in root.iter() if each.get("clip-path")}
        assert used
        assert used <= ids
        assert all(each.startswith(prefix) for each in ids)


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        "<style>*{display:none}</style>",
        "<foreignObject><p>x</p></foreignObject>",
        '<a xlink:href="javascript:alert(1)"><text>x</text></a>',
        '<image href="http://evil.example/x.png"/>',
        '<use href="http://evil.example/x.svg#a"/>',
        '<rect onload="alert(1)" fill="url(http://evil.example/#a)"/>',
        '<path d="M0 0" style="fill: url(https://evil.example/x); behavior: url(x)"/>',
        "<animate/>",
        "<set/>",
        '<image xlink:href="data:image/svg+xml;base64,AAAA"/>',
        '<rect style="fill: expression(alert(1))"/>',
    ],
)
def test_what_is_not_known_in_an_svg_is_left_out(inside):
    kept = taken(inside + '<rect width="1"/>')
    assert "evil" not in kept
    assert "alert" not in kept
    assert not any(f"<{tag}" in kept for tag in ("script", "style", "foreignObject", "a ", "animate", "set"))
    assert "data:image/svg" not in kept
    assert '<rect width="1"></rect>' in kept


def test_pixels_inside_an_svg_of_ours_stay():
    data = base64.b64encode(drawn()[1]).decode()
    assert f'href="data:image/png;base64,{data}"' in taken(
        f'<image xlink:href="data:image/png;base64,{data[:9]}\n{data[9:]}"/>'
    )


def test_words_in_an_svg_are_escaped_again():
    assert taken("<text>&lt;script&gt;</text>") == "<text>&lt;script&gt;</text>"
    assert taken('<rect id="&quot;&gt;&lt;script&gt;"/>') == '<rect id="a-b-&#34;&gt;&lt;script&gt;"></rect>'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg",
        b"<html/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]>' + SVG.format("").encode(),
        b"\xff\xd8 jpeg",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    ],
)
def test_what_is_no_figure_is_left_out(content):
    assert drawing("x", content) is None
    assert Pictures({"x.svg": content}).take("x") is None


def test_a_figure_that_is_too_large_is_left_out(monkeypatch):
    content = drawn()[0]
    monkeypatch.setattr(pictures, "LARGEST", len(content))
    assert drawing("x", content) is not None
    monkeypatch.setattr(pictures, "LARGEST", len(content) - 1)
    assert drawing("x", content) is None


def test_coordinates_are_short():
    assert taken('<path d="M 1.234567 -0.000001 L 10.500000 3"/>') == '<path d="M 1.23 -0 L 10.5 3"></path>'


def test_a_picture_stands_once_on_the_page():
    pictures = Pictures({"roc.svg": drawn()[0], "bias_tpr.svg": drawn()[0]})
    assert pictures.named("") == ["bias_tpr", "roc"]
    assert pictures.take("roc") is not None
    assert pictures.take("roc") is None
    assert pictures.named("") == ["bias_tpr"]
    assert pictures.take(HOSTILE[0]) is None
