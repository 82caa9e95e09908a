from fmviz.lessons import show

show("dictionary")
