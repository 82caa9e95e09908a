"""What a user has chosen on the page Theory."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Settings"]


class Settings(BaseModel):
    """The page Theory.

    Attributes:
        law: the number of the law that the page was opened at, or None.
        search: words that a shown law must have.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    law: int | None = Field(None, ge=1, le=999, alias="read")
    search: str = Field("", max_length=80, alias="find")
