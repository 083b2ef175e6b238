"""Figures on the page: an SVG of ours becomes part of it and follows its colours, anything else is embedded as it is.

A run's figures come out of a store that others may write to, so nothing is trusted: of an SVG only known shapes and
attributes are kept, and a file that is neither an SVG nor a PNG is left out.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree as Xml

from markupsafe import Markup, escape

SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
PNG = b"\x89PNG\r\n\x1a\n"
LARGEST = 20_000_000
"""Bytes of a figure that are read."""
PIXELS_A_POINT = 4 / 3
"""Matplotlib writes points, pages count CSS pixels."""
SIZE = re.compile(r"0 0 ([\d.]+) ([\d.]+)")
SHAPES = frozenset({
    "g", "defs", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "use",
    "clipPath", "image",
})  # fmt: skip
GEOMETRY = frozenset({
    "id", "d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "ry", "width", "height", "points", "transform",
    "viewBox", "clip-path", "preserveAspectRatio",
})  # fmt: skip
PAINT = frozenset({
    "fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin",
    "stroke-miterlimit", "opacity", "fill-opacity", "stroke-opacity", "fill-rule", "clip-rule", "font-size",
    "font-weight", "font-style", "text-anchor",
})  # fmt: skip
PAGE_COLOURS: Mapping[str, str] = {
    "#ffffff": "paper", "#000000": "ink", "#777777": "quiet", "#b0b0b0": "grid", "#cccccc": "grid",
    "#0072b2": "c1", "#d55e00": "c2", "#009e73": "c3", "#cc79a7": "c4", "#e69f00": "c5",
    "#56b4e9": "c6",
}  # fmt: skip
"""Colours of our figures and of matplotlib's frames -> the page's own, with contrast in light and dark."""
NUMBER = re.compile(r"-?\d+\.\d{3,}")
UNSAFE = re.compile(r"url\((?!#)|javascript:|expression", re.IGNORECASE)


@dataclass(frozen=True)
class Drawing:
    """A figure as it stands on the page: an SVG by its size and what is inside it, or a picture by its data URI."""

    id: str
    view_box: str = ""
    width: int = 0
    height: int = 0
    inside: Markup | None = None
    source: str = ""


@dataclass
class Pictures:
    """A run's figures by name, each of which stands once on the page: in the section that takes it, or at the end."""

    files: Mapping[str, bytes]
    taken: set[str] = field(default_factory=set)

    def take(self, name: str) -> Drawing | None:
        """The drawing of the figure of this name (`roc`, `mlp/learning_curves`); None where the run has none."""
        file = next((each for each in self.files if each.rpartition(".")[0] == name), None)
        if file is None or name in self.taken:
            return None
        self.taken.add(name)
        return drawing(name, self.files[file])

    def named(self, start: str) -> list[str]:
        """Names not yet taken that begin so, in order."""
        names = sorted(each.rpartition(".")[0] for each in self.files)
        return [name for name in names if name.startswith(start) and name not in self.taken]


def drawing(name: str, content: bytes) -> Drawing | None:
    """What stands on the page for a figure; None for what is no figure of ours."""
    ident = re.sub(r"\W+", "-", name)
    if content.startswith(PNG):
        return Drawing(ident, source=f"data:image/png;base64,{base64.b64encode(content).decode()}")
    if len(content) > LARGEST or b"<!ENTITY" in content:
        return None
    try:
        root = Xml.fromstring(content)  # noqa: S314  entities are refused above
    except Xml.ParseError:
        return None
    size = SIZE.fullmatch(root.get("viewBox", ""))
    if root.tag != f"{SVG}svg" or size is None:
        return None
    inside = "".join(part for child in root for part in _written(child, ident))
    width, height = (round(float(each) * PIXELS_A_POINT) for each in size.groups())
    return Drawing(ident, size[0], width, height, Markup(inside))  # noqa: S704  names are known, values are escaped


def _written(element: Xml.Element, prefix: str) -> Iterator[str]:
    """The element as text if it is known, with what is known of what it holds."""
    tag = element.tag.removeprefix(SVG)
    if tag not in SHAPES:
        return
    inside = "".join(part for child in element for part in _written(child, prefix))
    if tag in ("g", "defs") and not inside:
        return
    words = escape(element.text or "") if tag in ("text", "tspan") else ""
    told = "".join(f' {name}="{escape(value)}"' for name, value in _attributes(element, prefix))
    yield f"<{tag}{told}>{words}{inside}</{tag}>"


def _attributes(element: Xml.Element, prefix: str) -> Iterator[tuple[str, str]]:
    """Known attributes; what `style` says becomes attributes too, so that the page allows no styles inside elements."""
    painted = dict(_painted(element.get("style", "")))
    for name, value in {**element.attrib, **painted}.items():
        if name in (f"{XLINK}href", "href"):
            if value.startswith("#"):
                yield "href", f"#{prefix}-{value[1:]}"
            elif element.tag == f"{SVG}image" and value.startswith("data:image/png;base64,"):
                yield "href", re.sub(r"\s", "", value)
        elif name == "id":
            yield name, f"{prefix}-{value}"
        elif (name in GEOMETRY or name in PAINT) and not UNSAFE.search(value):
            yield name, _value(name, value, prefix)


def _painted(style: str) -> Iterator[tuple[str, str]]:
    for part in style.split(";"):
        name, _, value = (each.strip() for each in part.partition(":"))
        if name == "font":  # [weight] size family; the family is the page's
            yield from _font(value)
        elif name in PAINT:
            yield name, value


def _font(value: str) -> Iterator[tuple[str, str]]:
    if size := re.search(r"([\d.]+)px", value):
        yield "font-size", size[1]
    if weight := re.search(r"\b(bold|[1-9]00)\b", value):
        yield "font-weight", weight[1]


def _value(name: str, value: str, prefix: str) -> str:
    value = value.replace("url(#", f"url(#{prefix}-")
    if name in ("fill", "stroke"):
        named = PAGE_COLOURS.get(value.lower())
        return f"var(--{named})" if named else value
    return NUMBER.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), value)
