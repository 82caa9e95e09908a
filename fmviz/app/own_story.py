"""A lecturer's own story: moments collected on any pages, as a small JSON file or packed into a link.

It comes from outside in three ways (a file, a link, the browser's storage), and each time it is checked here. Nothing here
knows Streamlit.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from fmviz.app.choices import decode
from fmviz.errors import FmvizError
from fmviz.lessons import LESSONS
from fmviz.scene import link

__all__ = [
    "MAX_BYTES",
    "MAX_MOMENTS",
    "Moment",
    "OwnStory",
    "StoryError",
    "StoryTooLargeError",
    "packed",
    "read",
    "unpacked",
    "written",
]

MAX_MOMENTS, MAX_SENTENCE, MAX_BYTES = 40, 300, 1 << 18
MAX_PACKED = 6000
"""Characters of a story in a link: longer addresses are cut by some programs."""


class StoryError(FmvizError, ValueError):
    """A file or a link does not hold a story."""

    key = "story_file"


class StoryTooLargeError(StoryError):
    """A file or a link holds more than a story may."""

    key = "story_large"


def _known_page(name: str) -> str:
    if name not in {lesson.name for lesson in LESSONS}:
        raise ValueError("not a page of this app")
    return name


def _usable_link(text: str) -> str:
    _, problems = decode(link.parameters(text))
    if problems:
        raise ValueError(f"the link has parameters that cannot be used: {', '.join(problems)}")
    return text


class Moment(BaseModel):
    """One moment of an own story.

    Attributes:
        page: the lesson's name.
        link: the query of the page's link.
        sentence: what is said; may be empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    page: Annotated[str, AfterValidator(_known_page)]
    link: Annotated[str, Field(max_length=link.MAX_LENGTH), AfterValidator(_usable_link)]
    sentence: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_SENTENCE)] = ""

    @property
    def parameters(self) -> Mapping[str, str]:
        """The parameters of its link."""
        return link.parameters(self.link)


class OwnStory(BaseModel):
    """Moments in the order in which they are told, at most `MAX_MOMENTS`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fmviz_story: Literal[1] = 1
    moments: Annotated[tuple[Moment, ...], Field(max_length=MAX_MOMENTS)] = ()

    def with_moment(self, moment: Moment) -> OwnStory:
        """The story with one moment more; unchanged if it is full."""
        return OwnStory(moments=(*self.moments, moment)[:MAX_MOMENTS])

    def without(self, index: int) -> OwnStory:
        """The story without the moment at `index`."""
        return OwnStory(moments=self.moments[:index] + self.moments[index + 1 :])

    def moved(self, index: int, by: int) -> OwnStory:
        """The story with the moment at `index` moved by so many places, as far as there are any."""
        rest = list(self.moments)
        moment = rest.pop(index)
        rest.insert(min(max(index + by, 0), len(rest)), moment)
        return OwnStory(moments=tuple(rest))

    def saying(self, index: int, sentence: str) -> OwnStory:
        """The story with another sentence at `index`, cut at `MAX_SENTENCE` characters."""
        moment = Moment(
            page=self.moments[index].page, link=self.moments[index].link, sentence=sentence.strip()[:MAX_SENTENCE]
        )
        return OwnStory(moments=(*self.moments[:index], moment, *self.moments[index + 1 :]))


def written(story: OwnStory) -> str:
    """The story as JSON."""
    return story.model_dump_json(indent=1)


def read(text: str | bytes) -> OwnStory:
    """The story in a file.

    Raises:
        StoryError: too large, not JSON, or not a story; a page that there is not, or a link that cannot be used.
    """
    if len(text) > MAX_BYTES:
        raise StoryTooLargeError(f"larger than {MAX_BYTES} bytes")
    try:
        return OwnStory.model_validate(json.loads(text))
    except (ValidationError, ValueError, RecursionError) as error:
        raise StoryError(str(error)[:500]) from None


def packed(story: OwnStory) -> str | None:
    """The story for the address of a page; None if it is too long for one."""
    data = zlib.compress(story.model_dump_json().encode(), 9)
    text = base64.urlsafe_b64encode(data).decode().rstrip("=")
    return text if len(text) <= MAX_PACKED else None


def unpacked(text: str) -> OwnStory:
    """The story that `packed` put into an address.

    Raises:
        StoryError: it is none.
    """
    if len(text) > MAX_PACKED:
        raise StoryTooLargeError("too long for a link")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        stream = zlib.decompressobj()
        found = stream.decompress(data, MAX_BYTES)  # a small text can claim to hold gigabytes
    except (binascii.Error, ValueError, zlib.error) as error:
        raise StoryError(str(error)[:500]) from None
    if stream.unconsumed_tail or not stream.eof:
        raise StoryTooLargeError("incomplete, or too large")
    return read(found)
