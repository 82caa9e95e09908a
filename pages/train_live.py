"""Train: a network learns the field of the scene while one watches."""

from fmviz.ui import (
    lesson,
    player,
    train_anatomy,
    train_bar,
    train_checks,
    train_exports,
    train_live,
    training,
)

view = player.visit_view("train", "train", acknowledge=False)
training.sync()
run = training.status(touch=True)

lesson.opening("train")
train_bar.bar(run)
train_live.live(run, view)
train_exports.exports(run)
train_anatomy.anatomy_of_a_step()
lesson.notice("train")
lesson.check("train", train_checks.table)
lesson.code("train", train_exports.script, intro="train.export.script_help")
