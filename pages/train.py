from fmviz.lessons import show

show("train")
