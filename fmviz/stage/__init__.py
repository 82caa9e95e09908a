"""The stage: plays a clip in the browser, on a canvas, in plain JavaScript.

Start reading in `payload`, which packs a clip into bytes; `checking` says what can be played, `component` is the Streamlit
component, `standalone` a web page with the clip inside. The scripts are in ``js``, where ``main.js`` comes first.
"""
