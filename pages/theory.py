from fmviz.lessons import show

show("theory")
