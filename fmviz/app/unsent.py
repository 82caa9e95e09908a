"""Keeps what a finished run of the page has not yet sent when a fragment of it runs again at once.

Streamlit 1.67 loses it: as a fragment begins, whatever that fragment has drawn and not yet sent is dropped as outdated. If
it was drawn by a run of the whole page that has finished meanwhile, the browser hears of the end of that run without
having heard of the fragment, removes it as stale, and draws it anew a moment later. For the stage that is a picture
that vanishes for half a second, on a page just opened or while a component is dragged, whenever the server is busy.
"""

from __future__ import annotations

import functools

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue


def keep_unsent() -> None:
    """Has every queue of this process keep a finished run whole. Later calls do nothing."""
    dropping = ForwardMsgQueue.clear
    if hasattr(dropping, "__wrapped__"):
        return

    @functools.wraps(dropping)
    def clear(
        self: ForwardMsgQueue, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None
    ) -> None:
        if fragment_ids_this_run is not None and any(map(_ends_page, self._queue)):
            fragment_ids_this_run = []
        dropping(self, retain_lifecycle_msgs, fragment_ids_this_run)

    ForwardMsgQueue.clear = clear  # type: ignore[method-assign]


def _ends_page(message: ForwardMsg) -> bool:
    return (
        message.WhichOneof("type") == "script_finished"
        and message.script_finished == ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY
    )
