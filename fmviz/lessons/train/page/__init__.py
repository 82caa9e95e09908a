"""Train: a network learns the field of the scene while one watches."""

from fmviz.app import lesson, player
from fmviz.lessons.train.page import anatomy, bar, checks, exports, live, training
from fmviz.stage.payload import View

__all__ = ["show", "warm_up"]


def warm_up(_: View) -> None:
    """The processes that train."""
    training.warm_up()


def show() -> None:
    """Draws the page."""
    view = player.visit_view("train", "train", acknowledge=False)
    training.sync()
    run = training.status(heartbeat=True)
    lesson.opening("train")
    bar.bar(run)
    live.live(run, view)
    exports.exports(run)
    anatomy.anatomy_of_a_step()
    lesson.notice("train")
    lesson.check("train", checks.table)
    lesson.code("train", exports.script, intro="train.export.script_help")
