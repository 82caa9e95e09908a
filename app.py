"""fmviz, the app: ``make run``, or ``streamlit run app.py``.

`streamlit run` finds the ASGI application below and imports this file when the server starts, so that torch is loaded
and the first scene computed before the first visitor comes. For each visitor Streamlit then runs this same file as its
script, and only then is there a script context.
"""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from fmviz.app import shell
from fmviz.app.feed import FEED_ROUTES
from fmviz.app.front import FRONT
from fmviz.app.tabs import TAB_ROUTES

app = st.App(__file__, routes=[*FEED_ROUTES, *TAB_ROUTES], middleware=[FRONT])

if get_script_run_ctx(suppress_warning=True) is None:
    shell.warm_up()
else:
    shell.run()
