"""Models in ONNX files: each shape of input, real networks through torch, and files that mean harm."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

import fmviz
from fmviz.comparison.onnx_network import MAX_BYTES, OnnxError, OnnxNetwork
from fmviz.theory import ProbabilityPath

FLOAT, DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE
X = torch.randn(7, 2, generator=torch.Generator().manual_seed(0))
T = torch.linspace(0.1, 0.9, 7)
MEAN = torch.tensor([1.5, -0.5])


def model(nodes, inputs, initializers=(), kind=FLOAT, opset=17, output=(None, 2), domain="") -> bytes:
    """A graph with the output "y"; inputs as {name: shape}."""
    infos = [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()]
    graph = helper.make_graph(nodes, "g", infos, [helper.make_tensor_value_info("y", kind, output)], list(initializers))
    imports = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString()


PRODUCT = [helper.make_node("Mul", ["x", "t"], ["y"])]
COLUMN = [
    helper.make_node("Unsqueeze", ["t", "axis"], ["column"]),
    helper.make_node("Mul", ["x", "column"], ["y"]),
]
AXIS = numpy_helper.from_array(np.array([1]), "axis")
JOINED = [
    helper.make_node("Slice", ["x", "zero", "two", "axis"], ["points"]),
    helper.make_node("Slice", ["x", "two", "three", "axis"], ["time"]),
    helper.make_node("Mul", ["points", "time"], ["y"]),
]
PLACES = [numpy_helper.from_array(np.array([k]), name) for k, name in ((0, "zero"), (2, "two"), (3, "three"))]

LAYOUTS = {
    "times as a column": model(PRODUCT, {"x": (None, 2), "t": (None, 1)}),
    "times first": model(PRODUCT, {"t": (None, 1), "x": (None, 2)}),
    "times as a row": model(COLUMN, {"x": (None, 2), "t": (None,)}, [AXIS]),
    "one number": model(PRODUCT, {"x": (None, 2), "t": ()}),
    "one time in a list": model(PRODUCT, {"x": (None, 2), "t": (1,)}),
    "joined": model(JOINED, {"x": (None, 3)}, [AXIS, *PLACES]),
    "four points at once": model(PRODUCT, {"x": (4, 2), "t": (4, 1)}, output=(4, 2)),
    "doubles": model(PRODUCT, {"x": (None, 2), "t": (None, 1)}, kind=DOUBLE),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_layout_of_the_inputs(name):
    with OnnxNetwork(LAYOUTS[name]) as network:
        for t in (T, T[:, None], T.double().numpy()):
            torch.testing.assert_close(network(X, t), X * T[:, None])
        torch.testing.assert_close(network(X, 0.5), X * 0.5)


def gaussian_field(sign: float = 1.0) -> bytes:
    """u = m + (2 t - 1) / (t^2 + (1 - t)^2) (x - t m), from N(0, I) to N(m, I) with the linear scheduler."""
    held = {"m": MEAN[None].numpy(), "one": np.ones(1, np.float32), "sign": np.full(1, sign, np.float32)}
    nodes = [
        helper.make_node("Sub", ["one", "t"], ["rest"]),
        helper.make_node("Sub", ["t", "rest"], ["slope"]),
        helper.make_node("Mul", ["t", "t"], ["t2"]),
        helper.make_node("Mul", ["rest", "rest"], ["rest2"]),
        helper.make_node("Add", ["t2", "rest2"], ["variance"]),
        helper.make_node("Div", ["slope", "variance"], ["rate"]),
        helper.make_node("Mul", ["t", "m"], ["centre"]),
        helper.make_node("Sub", ["x", "centre"], ["miss"]),
        helper.make_node("Mul", ["rate", "miss"], ["turn"]),
        helper.make_node("Add", ["m", "turn"], ["u"]),
        helper.make_node("Mul", ["u", "sign"], ["y"]),
    ]
    initializers = [numpy_helper.from_array(values.astype(np.float32), name) for name, values in held.items()]
    return model(nodes, {"x": (None, 2), "t": (None, 1)}, initializers)


@pytest.mark.parametrize(("sign", "verdict"), [(1.0, "declared"), (-1.0, "other")])
def test_a_network_is_held_against_the_exact_field(sign, verdict):
    p_data = fmviz.GaussianMixture(MEAN[None], torch.eye(2)[None], torch.ones(1))
    path = ProbabilityPath(fmviz.GaussianMixture.standard(), p_data, fmviz.schedulers.get("linear"))
    with OnnxNetwork(gaussian_field(sign)) as network:
        report = fmviz.compare(path, network, particles=100, steps=10)
    assert report.verdict == verdict
    assert report.error == pytest.approx(1.0 - sign, abs=1e-5)


def _zero():
    return numpy_helper.from_array(np.zeros(1, np.float32), "zero")


def _unused_time():
    return [helper.make_node("Mul", ["t", "zero"], ["nothing"]), helper.make_node("Add", ["q", "nothing"], ["y"])]


def endless() -> bytes:
    """A loop whose condition stays true."""
    true = numpy_helper.from_array(np.array(True), "true")
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["again"]),
            helper.make_node("Add", ["state", "state"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, ()),
            helper.make_tensor_value_info("go", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("state", FLOAT, (None, 2)),
        ],
        [
            helper.make_tensor_value_info("again", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("next", FLOAT, (None, 2)),
        ],
    )
    nodes = [helper.make_node("Loop", ["", "true", "x"], ["q"], body=body), *_unused_time()]
    return model(nodes, {"x": (None, 2), "t": (None, 1)}, [true, _zero()])


def huge() -> bytes:
    """Asks for two gigabytes as it runs."""
    shape = numpy_helper.from_array(np.array([1 << 28, 2]), "shape")
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["much"]),
        helper.make_node("ReduceSum", ["much"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["q"]),
        *_unused_time(),
    ]
    return model(nodes, {"x": (None, 2), "t": (None, 1)}, [shape, _zero()])


def external(location: str) -> bytes:
    """Weights that lie in another file."""
    weights = numpy_helper.from_array(np.ones((2, 2), np.float32), "w")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("length", "16")):
        entry = weights.external_data.add()
        entry.key, entry.value = key, value
    nodes = [helper.make_node("MatMul", ["x", "w"], ["q"]), *_unused_time()]
    return model(nodes, {"x": (None, 2), "t": (None, 1)}, [weights, _zero()])


def claimed() -> bytes:
    """Weights that are said to have two gigabytes, and have none."""
    weights = onnx.TensorProto(name="w", data_type=FLOAT, dims=[1 << 28, 2], raw_data=b"")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["q"]), *_unused_time()]
    return model(nodes, {"x": (None, 2), "t": (None, 1)}, [weights, _zero()])


CUSTOM = model(
    [helper.make_node("Evil", ["x", "t"], ["y"], domain="evil")], {"x": (None, 2), "t": (None, 1)}, domain="evil"
)
HOSTILE = {
    "junk": (b"junk" * 1000, "onnx_unreadable"),
    "nothing": (b"", "onnx_unreadable"),
    "large": (bytes(MAX_BYTES + 1), "onnx_size"),
    "opset": (model(PRODUCT, {"x": (None, 2), "t": (None, 1)}, opset=999), "onnx_unreadable"),
    "custom operator": (CUSTOM, "onnx_unreadable"),
    "a file above": (external("../../../etc/passwd"), "onnx_unreadable"),
    "a file by its path": (external("/etc/passwd"), "onnx_unreadable"),
    "claimed size": (claimed(), "onnx_unreadable"),
    "endless loop": (endless(), "onnx_slow"),
    "much memory": (huge(), "onnx_memory"),
    "three inputs": (model(PRODUCT, {"x": (None, 2), "t": (None, 1), "c": (None, 1)}), "onnx_inputs"),
    "an image": (
        model([helper.make_node("Mul", ["x", "t"], ["y"])], {"x": (None, 3, 8, 8), "t": (None, 1)}),
        "onnx_inputs",
    ),
    "integers": (model(PRODUCT, {"x": (None, 2), "t": (None, 1)}, kind=TensorProto.INT64), "onnx_inputs"),
    "another answer": (
        model(
            [helper.make_node("Mul", ["t", "t"], ["y"]), helper.make_node("Neg", ["x"], ["unused"])],
            {"x": (None, 2), "t": (None, 1)},
            output=(None, 1),
        ),
        "onnx_answer",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_means_harm_is_refused(name):
    given, key = HOSTILE[name]
    with pytest.raises(OnnxError) as refused, OnnxNetwork(given, seconds=1.0) as network:
        network(X, T)
    assert refused.value.key == key


def test_what_runs_the_model_ends_with_it():
    with OnnxNetwork(LAYOUTS["joined"]) as network:
        process = network._process
        assert process.poll() is None
    assert process.poll() is not None
