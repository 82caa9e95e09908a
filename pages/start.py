from fmviz.lessons import show

show("start")
