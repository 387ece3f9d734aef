"""The MLP: each position thinks alone."""
from ..axes import BTD, DF, FD
from .contract import contract
from .gates import gelu, relu, sigmoid, silu


def gated(activation, x: BTD, gate: DF, up: DF, down: FD) -> BTD:
    """One branch decides how much of the other gets through.  Shazeer 2020."""
    open = activation(contract("BTD,DF->BTF", x, gate))
    return contract("BTF,FD->BTD", open * contract("BTD,DF->BTF", x, up), down)


def geglu(x: BTD, gate: DF, up: DF, down: FD) -> BTD:
    """The gate is a GELU: Gemma's MLP."""
    return gated(gelu, x, gate, up, down)


def swiglu(x: BTD, gate: DF, up: DF, down: FD) -> BTD:
    """The gate is a SiLU: the choice of Llama."""
    return gated(silu, x, gate, up, down)


def reglu(x: BTD, gate: DF, up: DF, down: FD) -> BTD:
    """The gate is a ReLU: shut, or as open as it likes."""
    return gated(relu, x, gate, up, down)


def glu(x: BTD, gate: DF, up: DF, down: FD) -> BTD:
    """The gate is a sigmoid, as in an LSTM.  Dauphin et al. 2016."""
    return gated(sigmoid, x, gate, up, down)


def plain_mlp(x: BTD, up: DF, down: FD) -> BTD:
    """No gate: widen, bend, narrow."""
    h = gelu(contract("BTD,DF->BTF", x, up))
    return contract("BTF,FD->BTD", h, down)
