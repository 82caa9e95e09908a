from fmviz.lessons import show

show("sample")
