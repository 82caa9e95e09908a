"""The formula under a panel's title: presentation MathML and nothing else, because it becomes part of the page."""

from __future__ import annotations

from xml.etree import ElementTree

from fmviz.errors import ParameterError

__all__ = ["MATHML_ATTRIBUTES", "MATHML_TAGS", "check_mathml"]

MATHML_TAGS = frozenset(
    [
        "math",
        "mi",
        "mn",
        "mo",
        "ms",
        "mtext",
        "mspace",
        "mrow",
        "mfrac",
        "msqrt",
        "mroot",
        "mstyle",
        "mpadded",
        "mphantom",
        "msub",
        "msup",
        "msubsup",
        "munder",
        "mover",
        "munderover",
        "mmultiscripts",
        "mprescripts",
        "mtable",
        "mtr",
        "mtd",
    ]
)
MATHML_ATTRIBUTES = frozenset(
    [
        "accent",
        "accentunder",
        "columnalign",
        "columnspacing",
        "depth",
        "dir",
        "display",
        "displaystyle",
        "fence",
        "form",
        "height",
        "largeop",
        "linethickness",
        "lspace",
        "mathsize",
        "mathvariant",
        "maxsize",
        "minsize",
        "movablelimits",
        "rowspacing",
        "rspace",
        "scriptlevel",
        "separator",
        "stretchy",
        "symmetric",
        "voffset",
        "width",
    ]
)
"""What the stage takes over from a formula; every other attribute is refused."""

_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"


def check_mathml(where: str, text: str) -> None:
    """Raise unless `text` is one well-formed ``<math>`` of presentation elements.

    Raises:
        ParameterError: what is not MathML.
    """
    if "<!" in text or "<?" in text:
        raise ParameterError(where, "no declarations, comments or entities of its own", text[:80])
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ParameterError(where, "well-formed XML", str(error)) from error
    for node in root.iter():
        tag = node.tag.removeprefix(_NAMESPACE)
        if tag not in MATHML_TAGS or (tag == "math") != (node is root):
            raise ParameterError(where, "presentation MathML in one <math>", node.tag)
        if strange := sorted(set(node.attrib) - MATHML_ATTRIBUTES):
            raise ParameterError(where, "attributes of presentation MathML", strange)
