from fmviz.lessons import show

show("bridges")
