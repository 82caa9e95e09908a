from fmviz.lessons import show

show("flows")
