"""Links from before the lessons moved into rooms of their own open to the same arrays.

``python tests/app/test_links.py`` prints the fingerprints of the present code; those in ``links.json`` are of commit
b1c1a5c. A fingerprint is no hash, because the last bits of a float32 depend on the processor: of every array it has the
type, the shape, the root mean square and a few values. Those of Start and Probability paths were taken again when their
closed forms began to travel as the law: what still travelled as an array had stayed the same. Those of Train
were taken again both times that the picture of an untrained network became coarser: at the old resolution it was the same. Those of Guidance and Dictionary,
which are younger, are of commit c0f34e4. Since frames that two layers share travel once, a repeated one counts once.
"""

import hashlib
import json
import sys
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fmviz.stage.block import DTYPES, FRAMES
from fmviz.stage.payload import decode_header

ROOT = Path(__file__).resolve().parents[2]
KNOWN = Path(__file__).with_name("links.json")
PLACES = 8
"""Values of an array that are compared, evenly spaced."""

A, B = "1_1.5_-0.5_0.4_0.1_0.2~2_-1.5_0.5_0.1_-0.02_0.3", "1_-3_0_0.09_0_0.5~1_3_1_0.3_0.1_0.09"
LINKS = (
    ("start", ""),
    ("start", "lang=zh&data=moons&n=40&ss=3&sn=5&t=0.25"),
    ("start", "data=random&sd=7&n=60&sched=trig&sigma=rise&amp=0.5&scale=log&perframe=1"),
    ("start", f"mix={A}&n=30&sched=sqrt&sigma=beta&amp=2"),
    ("paths", "data=two_modes&n=50&z=1_0.5&at=0.5_0.25_0.4&t=0.4"),
    ("paths", f"mix={A}&init=ring5&n=40&sigma=constant&amp=0.7"),
    ("paths", f"data=ring5&initmix={B}&n=40&sched=polynomial&exp=2.5&sigma=zero"),
    (
        "paths",
        "data=two_modes&sched=custom&alpha=t**2&beta=1-t**2&sigma=bump&amp=1.5&n=40&lang=zh&layers=density.score.sde",
    ),
    ("paths", "data=three_modes&sched=vp&sigma=reversal&n=40&sn=11&chart=spacetime&axis=y"),
    ("paths", "data=two_modes&n=30&present=1&scale=linear&at=-1_0_0.75&sigma=decay&amp=2.5"),
    ("flows", ""),
    ("flows", "flow=shear&rate=-1.5&solvers=rk4&nsteps=3&starts=1_1~-1_0.5"),
    ("flows", "flow=marginal&data=two_modes&nsteps=6&solvers=euler.heun&beside=conditional&z=1_1&lang=zh"),
    ("flows", f"flow=marginal&mix={A}&initmix={B}&nsteps=4&t=0.5&flayers=velocity.exact"),
    ("flows", "flow=linear&rate=2.5&nsteps=20&solvers=midpoint.rk4&starts="),
    ("noise", "n=40&sn=4&bmsteps=8"),
    ("noise", "process=ou&outheta=2.5&ousigma=0.5&oustart=-1_2&outime=6&ousteps=15&n=40"),
    ("noise", "process=collapse&outheta=0.5&ousigma=1.5&outime=2&n=30&lang=zh"),
    ("noise", "process=langevin&data=two_modes&lvstart=mode&lvsigma=0.8&lvtime=2&lvsteps=50&n=40&ss=9"),
    ("noise", f"process=langevin&mix={A}&lvstart=data&lvtime=1&lvsteps=20&n=25&nlayers=density.walks"),
    ("conservation", "data=two_modes&n=30"),
    ("conservation", "data=two_modes&of=conditional&law=continuity&cz=1_-0.5&box=-1_1_-1_1&n=25"),
    ("conservation", f"mix={A}&broken=velocity&norm=max&t=0.5&sched=trig&n=25&lang=zh"),
    ("conservation", "data=ring5&broken=score&sigma=bump&amp=0.6&box=-2_0.5_0_2&n=25&sheet=1"),
    ("train", "data=two_modes&n=30&obj=noise&width=16&depth=2&sw=3&act=tanh"),
    ("train", f"mix={A}&n=25&obj=data&width=8&depth=1&time=raw&scaling=none&lr=0.003&replay=0&lang=zh"),
    ("sample", "data=two_modes&n=40&solver=heun&steps=5&sdesteps=20&grid=refined&field=exact"),
    ("sample", f"mix={A}&n=30&solver=midpoint&steps=3&sigma=constant&amp=1.2&sat=0.5_0.5_0.75&slayers=density.ode.sde"),
    ("guidance", "data=three_modes&n=30&y=1&w=2.5"),
    ("guidance", f"mix={A}&n=25&y=1&w=-0.5&gkind=sde&sigma=bump&amp=0.7&lang=zh"),
    ("guidance", "data=moons&n=30&w=4&gweights=on&gmap=classifier&sn=3"),
    ("dictionary", "data=ring5&n=30"),
    ("dictionary", f"mix={A}&n=25&same=1&dscale=common&dat=0.5_0.5_0.25&lang=zh"),
    ("dictionary", "data=two_modes&n=30&dview=forward&sn=4"),
    ("dictionary", "data=two_modes&n=30&dview=steps"),
    ("sample", "data=ring5&init=two_modes&n=30&solver=rk4&steps=2&sdesteps=8&sched=linear&sn=2&t=0.9"),
)
ADDRESSES = {"start": "", "paths": "probability-paths"}


def opened(page: str, query: str) -> tuple[dict[str, str], bytes]:
    """The link that the opened page writes, and the payload of its stage."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params.update(parse_qsl(query, keep_blank_values=True))
    app.run()
    wanted = ADDRESSES.get(page, page)
    (hash_of_page,) = (h for h, info in app._registered_pages.items() if info["url_pathname"] == wanted)
    app._page_hash = hash_of_page
    app.run()
    assert not app.exception
    assert app.session_state["fmviz_problems"] == (), "a setting of the link was dropped"
    stage = f"{page}_stage"
    written = {k: v[0] if isinstance(v, list) else v for k, v in app.query_params.items()}
    return written, app.session_state[f"fmviz_last_payload.{stage}"]


def fingerprint(payload: bytes) -> list[list[object]]:
    """Of every array of a payload, in their order: type, length, root mean square, and values at fixed places."""
    header = decode_header(payload)
    found = []
    for offset, count, dtype in sorted(set(places(header))):
        raw = np.frombuffer(payload, DTYPES[dtype], count, header["start"] + offset).astype(np.float64)
        values = np.nan_to_num(raw, nan=-1e6)
        at = np.linspace(0, count - 1, PLACES).astype(int) if count else []
        rms = float(np.sqrt(np.mean(values**2))) if count else 0.0
        found.append([dtype, count, round(rms, 6), [round(float(v), 6) for v in values[at]]])
    return found


def places(node: object) -> list[tuple[int, int, str]]:
    """Where the arrays of a header lie."""
    if isinstance(node, dict):
        if {"offset", "count", "dtype"} <= node.keys():
            return [(node["offset"], node["count"], node["dtype"])]
        return [place for value in node.values() for place in places(value)]
    return [place for value in node for place in places(value)] if isinstance(node, list) else []


def distinct(arrays: list[list[object]]) -> list[list[object]]:
    """Without frames that are there already."""
    return [array for i, array in enumerate(arrays) if array[0] not in FRAMES or array not in arrays[:i]]


@pytest.mark.parametrize(("page", "query"), LINKS, ids=lambda text: str(text)[:40])
def test_a_link_from_before_the_move_opens_the_same_arrays(page, query):
    kept = json.loads(KNOWN.read_text())[f"{page}?{query}"]
    written, payload = opened(page, query)
    assert written == kept["link"]
    now, before = distinct(fingerprint(payload)), distinct(kept["arrays"])
    assert [array[:2] for array in now] == [array[:2] for array in before]
    for (dtype, _, rms, values), (_, _, known_rms, known) in zip(now, before, strict=True):
        scale = max(known_rms, 1e-3)  # integers that stand for numbers may differ by a few steps of their range
        slack = 1e-4 * scale if dtype == "f32" else 4 + 1e-3 * scale
        assert abs(rms - known_rms) <= slack
        np.testing.assert_allclose(values, known, rtol=1e-4, atol=slack)


def main() -> None:
    """Prints the fingerprints of all links; with "exact" the digests of the arrays, to compare two checkouts by."""
    kept = {}
    for page, query in LINKS:
        written, payload = opened(page, query)
        start = decode_header(payload)["start"]
        exact = hashlib.sha256(payload[start:]).hexdigest()
        kept[f"{page}?{query}"] = exact if "exact" in sys.argv else {"link": written, "arrays": fingerprint(payload)}
    print("{" + ",\n".join(f"{json.dumps(link)}: {json.dumps(found)}" for link, found in kept.items()) + "}")


if __name__ == "__main__":
    main()
