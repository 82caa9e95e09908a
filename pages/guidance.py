from fmviz.lessons import show

show("guidance")
