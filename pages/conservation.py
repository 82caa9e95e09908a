from fmviz.lessons import show

show("conservation")
