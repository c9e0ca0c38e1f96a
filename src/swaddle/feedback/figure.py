"""What leaves the drawer, looked at before a page holds it: an SVG with title and description, and nothing that acts.

Pure.
"""

from __future__ import annotations

import re
from hashlib import sha256
from xml.etree import ElementTree as ET

from markupsafe import Markup

from swaddle.errors import OurBug

_SVG = "http://www.w3.org/2000/svg"
_ALLOWED = {
    *("svg", "g", "path", "text", "tspan", "rect", "line", "circle", "title", "desc"),
    *("defs", "clipPath", "polygon", "polyline"),
}
NOTHING = Markup()  # where there is too little to draw


class NotADrawing(OurBug):
    """A chart came out with something in it that a page may not hold."""

    code = "SWD-FEED-05"
    what = "a chart could not be drawn"
    why = "{reason}"
    fix = "report this with the code above; the table beside it holds the numbers"


def as_figure(svg: str, title: str, text: str, language: str) -> Markup:
    """A drawing as a page may hold it: with title and description, as wide as its column, and nothing that acts.

    Only here does a drawing become HTML: every element and attribute was looked at, text was escaped when written.

    Raises:
        NotADrawing: there is an element or an attribute in it that a drawing does not need.
    """
    ET.register_namespace("", _SVG)
    own = f"d{sha256(svg.encode('utf-8')).hexdigest()[:8]}-"
    root = ET.fromstring(svg)  # noqa: S314  # our own drawer's output; whatever is in it is looked at below
    for element in root.iter():
        name = element.tag.removeprefix(f"{{{_SVG}}}")
        if name not in _ALLOWED:
            raise NotADrawing(f"it holds <{name}>")
        for attribute in [a for a in element.attrib if a.startswith("aria-") or a in {"role", "class", "style"}]:
            del element.attrib[attribute]  # marks of the drawer for each stroke: noise to a screen reader
        for attribute, value in list(element.attrib.items()):
            if attribute.startswith("on") or "href" in attribute or re.search(r"url\((?!#)|script:", value):
                raise NotADrawing("it acts or fetches")
            if attribute == "id":  # several drawings stand on one page
                element.set(attribute, own + value)
            elif value.startswith("url(#"):
                element.set(attribute, f"url(#{own}{value.removeprefix('url(#')}")
    width, height = root.attrib.pop("width"), root.attrib.pop("height")
    root.attrib.setdefault("viewBox", f"0 0 {width} {height}")
    root.set("role", "img")
    root.set("lang", language)
    root.set("width", "100%")
    for place, (tag, words) in enumerate((("title", title), ("desc", text))):
        element = ET.Element(f"{{{_SVG}}}{tag}")
        element.text = words
        root.insert(place, element)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704
