"""The MLP: each position thinks alone."""
from ..axes import BTD, DF, FD
from .contract import contract, contract_backward
from .gates import gelu, gelu_backward, relu, sigmoid, silu
from .gradient import backward


def gated(activation, x: BTD, gate: DF, up: DF, down: FD) -> BTD:
    """One branch decides how much of the other gets through.  Shazeer 2020."""
    open = activation(contract("BTD,DF->BTF", x, gate))
    return contract("BTF,FD->BTD", open * contract("BTD,DF->BTF", x, up), down)


def gated_backward(dy, activation, x, gate, up, down):
    choice, value = contract("BTD,DF->BTF", x, gate), contract("BTD,DF->BTF", x, up)
    open = activation(choice)
    dh, ddown = contract_backward(dy, "BTF,FD->BTD", open * value, down)
    dchoice, dvalue = backward(activation)(dh * value, choice), dh * open
    dx_gate, dgate = contract_backward(dchoice, "BTD,DF->BTF", x, gate)
    dx_up, dup = contract_backward(dvalue, "BTD,DF->BTF", x, up)
    return dx_gate + dx_up, dgate, dup, ddown


def geglu(x: BTD, gate: DF, up: DF, down: FD) -> BTD:
    """The gate is a GELU: Gemma's MLP."""
    return gated(gelu, x, gate, up, down)


def geglu_backward(dy, x, gate, up, down):
    return gated_backward(dy, gelu, x, gate, up, down)


def swiglu(x: BTD, gate: DF, up: DF, down: FD) -> BTD:
    """The gate is a SiLU: the choice of Llama."""
    return gated(silu, x, gate, up, down)


def swiglu_backward(dy, x, gate, up, down):
    return gated_backward(dy, silu, x, gate, up, down)


def reglu(x: BTD, gate: DF, up: DF, down: FD) -> BTD:
    """The gate is a ReLU: shut, or as open as it likes."""
    return gated(relu, x, gate, up, down)


def reglu_backward(dy, x, gate, up, down):
    return gated_backward(dy, relu, x, gate, up, down)


def glu(x: BTD, gate: DF, up: DF, down: FD) -> BTD:
    """The gate is a sigmoid, as in an LSTM.  Dauphin et al. 2016."""
    return gated(sigmoid, x, gate, up, down)


def glu_backward(dy, x, gate, up, down):
    return gated_backward(dy, sigmoid, x, gate, up, down)


def plain_mlp(x: BTD, up: DF, down: FD) -> BTD:
    """No gate: widen, bend, narrow."""
    h = gelu(contract("BTD,DF->BTF", x, up))
    return contract("BTF,FD->BTD", h, down)


def plain_mlp_backward(dy, x, up, down):
    wide = contract("BTD,DF->BTF", x, up)
    dh, ddown = contract_backward(dy, "BTF,FD->BTD", gelu(wide), down)
    dx, dup = contract_backward(gelu_backward(dh, wide), "BTD,DF->BTF", x, up)
    return dx, dup, ddown
