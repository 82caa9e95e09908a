"""A comparison as HTML: what a notebook shows, and a page of its own."""

from __future__ import annotations

__all__ = ["fragment", "whole"]

from html import escape
from typing import TYPE_CHECKING

from fmviz.app.catalogue import number, translate
from fmviz.clips.clip import Floats
from fmviz.clips.paths import as_array
from fmviz.comparison.pictures import ends_svg, line_svg, map_svg
from fmviz.comparison.sentences import percent, reading_name
from fmviz.scene.views import Language

if TYPE_CHECKING:
    from fmviz.comparison.report import Comparison

_PAGE = """<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 system-ui, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; max-width: 760px; margin: 2em auto; padding: 0 16px; }}
td, th {{ padding: 2px 10px; text-align: right; }}
td:first-child, th:first-child {{ text-align: left; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def whole(report: Comparison, language: Language) -> str:
    """A page of its own that asks for nothing from outside."""
    title = escape(translate(language, "comparison.title", name=report.name))
    lang = {"en": "en", "zh": "zh-CN"}[language]
    return _PAGE.format(lang=lang, title=title, body=fragment(report, language))


def fragment(report: Comparison, language: Language) -> str:
    """The same without a page around it, for a notebook."""

    def say(key: str, **values: object) -> str:
        return escape(translate(language, f"comparison.{key}", **values))

    at, worst = report.worst
    parts = [
        f"<h3>{say('title', name=report.name)}</h3>",
        f"<p><strong>{escape(report.cause(language))}</strong></p>",
        *(f"<p>{escape(text)}</p>" for text in report.findings(language)),
        f"<p>{say('error')}: {percent(report.error)}, {say('worst', t=f'{at:.2f}')} ({percent(worst)})</p>",
        _distances(report, language),
        _figure(say("over_time"), line_svg(report.over_time.t, report.over_time.relative, say("over_time"))),
        _figure(say("over_x"), map_svg(report.map, say("over_x"))),
        _figure(say("particles"), ends_svg(*_ends(report), report.map.extent, say("particles"))),
        f"<p>{say('readings')}</p>",
        _readings(report, language),
    ]
    return "<div>\n" + "\n".join(parts) + "\n</div>"


def _ends(report: Comparison) -> tuple[Floats, Floats]:
    return as_array(report.runs.exact[-1]), as_array(report.runs.own[-1])


def _figure(caption: str, picture: str) -> str:
    return f'<figure style="margin:1em 0">{picture}<figcaption>{caption}</figcaption></figure>'


def _distances(report: Comparison, language: Language) -> str:
    heads = "".join(f"<th>{escape(translate(language, f'comparison.{key}'))}</th>" for key in ("own", "exact", "floor"))
    rows = [(distance.name, (distance.own, distance.exact, distance.floor)) for distance in report.distances]
    if report.likelihood is not None:
        rows.append(("likelihood", (report.likelihood.own, report.likelihood.exact, float("nan"))))
    body = "".join(
        f"<tr><td>{escape(translate(language, f'comparison.{name}'))}</td>{''.join(f'<td>{number(v)}</td>' for v in values)}</tr>"
        for name, values in rows
    )
    return f"<table><tr><th></th>{heads}</tr>{body}</table>"


def _readings(report: Comparison, language: Language) -> str:
    declared = report.diagnosis.declared
    rows = []
    for fit in report.diagnosis.shown():
        mark = f" ({escape(translate(language, 'comparison.declared'))})" if fit == declared else ""
        rows.append(
            f"<tr><td>{escape(reading_name(fit.reading, language))}{mark}</td><td>{percent(fit.error)}</td></tr>"
        )
    heads = f"<th>{escape(translate(language, 'comparison.reading_head'))}</th><th>{escape(translate(language, 'comparison.error_head'))}</th>"
    return f"<table><tr>{heads}</tr>{''.join(rows)}</table>"
