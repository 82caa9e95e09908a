"""Train: a network learns the field of the scene while one watches."""

from fmviz.app import lesson, player, training
from fmviz.lessons.train.page import anatomy, bar, checks, exports, live

__all__ = ["show"]


def show() -> None:
    """Draws the page."""
    view = player.visit_view("train", "train", acknowledge=False)
    training.sync()
    run = training.status(touch=True)
    lesson.opening("train")
    bar.bar(run)
    live.live(run, view)
    exports.exports(run)
    anatomy.anatomy_of_a_step()
    lesson.notice("train")
    lesson.check("train", checks.table)
    lesson.code("train", exports.script, intro="train.export.script_help")
