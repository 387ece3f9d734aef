"""How much of a gradient arrives at what was said long ago: through a recurrent network, and through attention."""
import numpy as np

from ...axes import BTD, DKH, DNH
from ...numpy_gemma import attend, causal_mask, contract
from ...numpy_gemma.attention import attend_backward
from ...numpy_gemma.contract import contract_backward
from ...numpy_gemma.recurrent import rnn_backward


def listen(x: BTD, wq: DNH, wk: DKH, wv: DKH):
    """Attention without positions and without a last product: what the heads gather."""
    q, k, v = contract("BTD,DNH->BTNH", x, wq), contract("BTD,DKH->BTKH", x, wk), contract("BTD,DKH->BTKH", x, wv)
    return attend(q, k, v, everything_before(x))


def listen_backward(dy, x, wq, wk, wv):
    q, k, v = contract("BTD,DNH->BTNH", x, wq), contract("BTD,DKH->BTKH", x, wk), contract("BTD,DKH->BTKH", x, wv)
    dq, dk, dv = attend_backward(dy, q, k, v, everything_before(x))
    dx_q, dwq = contract_backward(dq, "BTD,DNH->BTNH", x, wq)
    dx_k, dwk = contract_backward(dk, "BTD,DKH->BTKH", x, wk)
    dx_v, dwv = contract_backward(dv, "BTD,DKH->BTKH", x, wv)
    return dx_q + dx_k + dx_v, dwq, dwk, dwv


def everything_before(x):
    B, T, _ = x.shape
    return causal_mask(np.broadcast_to(np.arange(T), (B, T)), T)


def reach(T, D, seed):
    """The length of the gradient at each input, when all of the loss is at the last step: {name: [T]}."""
    random = np.random.default_rng(seed)

    def weight(*sizes):
        return random.standard_normal(sizes) / np.sqrt(D)
    x, last = random.standard_normal((1, T, D)), random.standard_normal(D)
    dy = np.zeros((1, T, D))
    dy[:, -1] = last / np.sqrt(last @ last)
    by_loop = rnn_backward(dy, x, np.zeros((1, D)), weight(D, D), weight(D, D), np.zeros(D))[0]
    by_attention = listen_backward(dy[:, :, None], x, weight(D, 1, D), weight(D, 1, D), weight(D, 1, D))[0]
    return {"recurrent network": lengths(by_loop), "attention": lengths(by_attention)}


def lengths(dx: BTD):
    return np.sqrt(np.sum(dx * dx, axis=-1))[0]
