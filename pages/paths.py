from fmviz.lessons import show

show("paths")
