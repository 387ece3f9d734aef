from .attention import attend, attention, attention_with_qk_norm, causal_mask, look_back, remember, softmax
from .block import block, block_with_post_norms
from .cap import soft_cap, uncapped
from .contract import contract, lookup
from .gates import gate, gelu, gelu_erf, relu, sigmoid, silu, tanh, weigh
from .loss import cross_entropy
from .mlp import gated, geglu, glu, plain_mlp, reglu, swiglu
from .model import embed, forward, hidden, in_order, layers, loss, unembed
from .norm import batch_norm, head_norm, layer_norm, no_norm, rms_norm
from .position import learned, rope, sinusoidal, unplaced, unrotated
from .precision import widen
from .recurrent import gru, gru_cell, lstm, lstm_cell, rnn, rnn_cell, unroll
from .tap import untapped
