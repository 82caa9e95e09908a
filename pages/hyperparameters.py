from fmviz.lessons import show

show("hyperparameters")
