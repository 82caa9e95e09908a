from fmviz.lessons import show

show("noise")
