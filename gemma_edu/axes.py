"""The alphabet: one letter, one axis, everywhere.

    B batch    T queries in time    S keys in time    D stream       V vocabulary    L layers
    N query heads    K key/value heads    G = N/K     H head width   F hidden width
    C recurrent state    R LoRA rank

The letters are the einsum strings, the annotations, the fields of Config, the rules of sharding
and the axes of plots.  An argument annotated with a batch is an activation; one annotated
without is a weight, and whatever is known of a weight is read off its letters.  An argument
of a block may be annotated with a slot: it is a dict, the weights of whatever fills the slot.
"""
from inspect import signature
from typing import Annotated, Any, get_origin

from jaxtyping import Bool, Float, Int

# ---- activations
BT = Int[Any, "B T"]               # tokens; positions
BTD = Float[Any, "B T D"]          # the residual stream
BTF = Float[Any, "B T F"]          # inside the MLP
BTNH = Float[Any, "B T N H"]       # one query per head
BSKH = Float[Any, "B S K H"]       # keys, or values, perhaps from a cache
BTS = Bool[Any, "B T S"]           # who may look at whom
BTV = Float[Any, "B T V"]          # logits
BTLoss = Float[Any, "B T"]         # one loss per token
BD = Float[Any, "B D"]             # one moment of a sequence
BC = Float[Any, "B C"]             # a recurrent state
BTC = Float[Any, "B T C"]          # the states of a whole sequence
Numbers = Float[Any, "..."]         # any shape: for what acts on each number alone

# ---- weights
D = Float[Any, "D"]                # the scale of a norm
H = Float[Any, "H"]                # the same for a head
VD = Float[Any, "V D"]             # the embedding table
SD = Float[Any, "S D"]             # a table of positions
DF = Float[Any, "D F"]
FD = Float[Any, "F D"]
DNH = Float[Any, "D N H"]
DKH = Float[Any, "D K H"]
NHD = Float[Any, "N H D"]
DC = Float[Any, "D C"]             # from the input to a recurrent state
CC = Float[Any, "C C"]             # from a recurrent state to the next
C = Float[Any, "C"]
Gate = tuple[DC, CC, C]            # what a gate looks at: input, state, and a bias

# ---- slots of a block
Norm = Annotated[dict, "norm"]
Mixer = Annotated[dict, "mixer"]
Mlp = Annotated[dict, "mlp"]


def letters(part):
    """The letters of every annotated argument: `{"x": "BTD", "gate": "DF", …}`."""
    kinds = {p.name: p.annotation for p in signature(part).parameters.values()}
    return {name: kind.dim_str.replace(" ", "")
            for name, kind in kinds.items() if hasattr(kind, "dim_str")}


def weights_of(part):
    """A part's weights are its arguments without a batch: `{"gate": "DF", …}`."""
    return {name: axes for name, axes in letters(part).items() if "B" not in axes}


def slots_of(block):
    """Where a block has weights, and which choice of the Config says what they are: `{"mixer_norm": "norm", …}`."""
    kinds = {p.name: p.annotation for p in signature(block).parameters.values()}
    return {name: kind.__metadata__[0] for name, kind in kinds.items() if get_origin(kind) is Annotated}
