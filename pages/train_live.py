"""Train: a network learns the field of the scene while one watches."""

from fmviz.ui import lesson, player, state, train_bar, train_live, training

current = state.current()
view = player.visit_view("train", "train", acknowledge=False)
training.sync()
run = training.status(touch=True)

lesson.heading("train")
lesson.formulas("train")
train_bar.bar(run)
train_live.live(run, view)
lesson.notice("train")
