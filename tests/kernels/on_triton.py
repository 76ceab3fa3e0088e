"""What a Python with Triton is asked to do, in a process of its own: ``interpret`` executes kernels, ``compile`` counts what a card would get.

Run as ``python -m tests.kernels.on_triton WHAT``; prints one JSON document.
"""

import json
import linecache
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from kazami.kernels import Descent, Layer, Network
from kazami.kernels._generator import training_program
from kazami.kernels._numpy import numpy_function
from kazami.kernels._plan import Plan
from kazami.kernels.device import LANES, device_plan, device_text
from tests.kernels.test_programs import NETWORK, buffers_for


def iris(activation: str) -> Network:
    """Return the network of 83 parameters."""
    return Network((Layer(4, 10, activation=activation), Layer(10, 3)), loss="cross_entropy")


MEAN_FIELD = Network((Layer(16, 16, bias=False, activation="tanh", gain=2**0.5, scale=16**-0.5), Layer(16, 1, bias=False, scale=1 / 16)))
WORKLOADS = {
    "iris sigmoid float32": (iris("sigmoid"), "float32", 0),
    "iris tanh float32": (iris("tanh"), "float32", 0),
    "iris sigmoid float64": (iris("sigmoid"), "float64", 0),
    "iris tanh float64": (iris("tanh"), "float64", 0),
    "iris tanh float32, one tangent": (iris("tanh"), "float32", 1),
    "iris tanh float64, one tangent": (iris("tanh"), "float64", 1),
    "16-16-1 tanh float32": (MEAN_FIELD, "float32", 0),
}


def jitted(program, plan):
    """Return the kernel as Triton's own."""
    import triton
    import triton.language

    text = device_text(program, plan)
    name = f"<kernel {abs(hash(text))}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    names = {"tl": triton.language, "__name__": "kernel"}
    exec(compile(text, name, "exec"), names)
    return triton.jit(names["train"], do_not_specialize=list(program.wholes))


def interpreted() -> dict[str, float]:
    """Return the largest difference between Triton's interpreter and the NumPy twin, by case."""
    import torch

    found = {}
    for descent in (Descent(), Descent("adam")):
        for n_tangents in (0, 1):
            for plan in (Plan(1, 4, unrolled=True), Plan(2, 8, is_parallel=True)):
                program = training_program(NETWORK, descent, np.dtype(np.float64), n_tangents, plan)
                expected, wholes = buffers_for(NETWORK, descent, plan, n_tangents, LANES, steps=2)
                numpy_function(program)(*(wholes[name] for name in program.wholes), *(expected[name] for name in program.buffers))
                given, _ = buffers_for(NETWORK, descent, plan, n_tangents, LANES, steps=2)
                tensors = [torch.from_numpy(given[name]) for name in program.buffers]
                jitted(program, plan)[(1,)](*tensors, *(wholes[name] for name in program.wholes))
                worst = max(float(np.abs(given[name] - expected[name]).max()) for name in ("state", "losses", "norms"))
                found[f"{descent.rule} {n_tangents} {plan.unrolled}"] = worst
    return found


def counted(wanted: list[str]) -> dict[str, dict[str, int]]:
    """Return registers, bytes of stack and instructions of the loop over samples of each workload, compiled for sm_90."""
    return {name: _counted(*WORKLOADS[name]) for name in wanted or WORKLOADS}


def _counted(network: Network, dtype: str, n_tangents: int) -> dict[str, int]:
    import triton
    from triton.backends import nvidia
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    plan = device_plan(network, Descent(), np.dtype(dtype).itemsize, n_tangents, 150)
    program = training_program(network, Descent(), np.dtype(dtype), n_tangents, plan)
    element = {"float32": "*fp32", "float64": "*fp64"}[dtype]
    kinds = {buffer.name: "*i64" if buffer.kind == "whole" else element for buffer in program.buffers.values()} | dict.fromkeys(program.wholes, "i32")
    aligned = {(number,): [["tt.divisibility", 16]] for number in range(len(program.buffers))}
    source = ASTSource(jitted(program, plan), kinds, attrs=aligned)
    made = triton.compile(source, target=GPUTarget("cuda", 90, LANES), options={"num_warps": 1, "enable_fp_fusion": False})
    dump = Path(nvidia.__file__).parent / "bin" / "cuobjdump"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(made.asm["cubin"])
        file.flush()
        used, assembly = (subprocess.run([dump, option, file.name], capture_output=True, text=True, check=True).stdout for option in ("-res-usage", "-sass"))
    found = {name.lower(): int(re.search(rf"{name}:(\d+)", used).group(1)) for name in ("REG", "STACK", "SHARED")}
    return {**found, "is_held": int(plan.unrolled), **_loops(assembly)}


def _loops(assembly: str) -> dict[str, int]:
    """Return the instructions of the innermost loop with the most multiply–adds, and of the whole kernel."""
    lines = [(int(place, 16), word, rest) for place, word, rest in re.findall(r"/\*([0-9a-f]{4,})\*/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)([^;]*);", assembly)]
    jumps = [(int(to.group(1), 16), place) for place, word, rest in lines if word.startswith("BRA") and (to := re.search(r"0x([0-9a-f]+)", rest))]
    loops = [(begin, end) for begin, end in jumps if begin < end]
    inner = [loop for loop in loops if not any(other != loop and loop[0] <= other[0] and other[1] <= loop[1] for other in loops)]
    bodies = [[word for place, word, _ in lines if begin <= place <= end] for begin, end in inner]
    body = max(bodies, key=lambda words: sum(word.startswith(("FFMA", "DFMA")) for word in words))
    kinds = {"fma": ("FFMA", "DFMA"), "special": ("MUFU",), "from_stack": ("LDL",), "to_stack": ("STL",)}
    return {"total": len(lines), "loop": len(body), **{name: sum(word.startswith(starts) for word in body) for name, starts in kinds.items()}}


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    print(json.dumps(interpreted() if sys.argv[1] == "interpret" else counted(sys.argv[2:])))
