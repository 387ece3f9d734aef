"""Each part by itself, against another way to compute the same."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from arguments import arguments
from small import GEMMAS, TOKENS, apart, at_home, close, weights

pytestmark = pytest.mark.usefixtures("float64")

EXACT = 1e-12
RANDOM = np.random.default_rng(3).standard_normal
X = RANDOM((2, 5, 6))


@pytest.mark.parametrize("name, reference", [
    ("sigmoid", jax.nn.sigmoid), ("tanh", jnp.tanh), ("relu", jax.nn.relu), ("silu", jax.nn.silu),
    ("softmax", jax.nn.softmax),
    ("gelu", lambda x: jax.nn.gelu(x, approximate=True)), ("gelu_erf", lambda x: jax.nn.gelu(x, approximate=False))])
def test_gates_are_what_jax_calls_by_their_names(gemma, name, reference):
    close(getattr(gemma.room, name)(X), reference(X), EXACT)


def test_nothing_overflows(gemma):
    """At ±1000 an exponential is out of range, and the result is not."""
    far, room = np.array([-1000.0, 0, 1000]), gemma.room
    with np.errstate(over="raise", invalid="raise"):
        close(room.sigmoid(far), [0, 0.5, 1], EXACT)
        close(room.softmax(far), [0, 0, 1], EXACT)
        close(room.cross_entropy(far[None, None], np.array([[0]])), [[2000]], EXACT)


# ---- norms

def test_rms_norm_sets_the_length(gemma):
    """The root of the mean square is one, however long the vector came; then the scale multiplies by 1 + itself."""
    unit = gemma.cfg.norm(1000 * X, np.zeros(6))
    close(np.sqrt(np.mean(np.asarray(unit)**2, axis=-1)), np.ones((2, 5)), 1e-9)
    close(gemma.cfg.norm(1000 * X, np.full(6, 0.5)), 1.5 * unit, EXACT)
    close(unit * np.sqrt(np.mean(X**2, axis=-1, keepdims=True)), X, 1e-5)      # in the same direction


def test_epsilon_stands_inside_the_root(gemma):
    """Only a quiet stream tells: at a mean square of 1e-6, epsilon is half of what stands under the root."""
    x = np.full((1, 1, 4), 1e-3)
    close(gemma.cfg.norm(x, np.zeros(4)), x / np.sqrt(2e-6), EXACT)
    close(gemma.cfg.norm(0 * x, np.zeros(4)), 0 * x, 0)


def test_in_bfloat16_a_norm_is_rounded_once(gemma):
    """Widened first and cast last, scale and all: the float32 result, rounded (as in Hugging Face since 4.39)."""
    x = RANDOM((4, 8, 64)).astype(jnp.bfloat16)
    scale = (RANDOM(64) * 2.0**-9).astype(jnp.bfloat16)      # 1 + this is 1 in bfloat16
    y = gemma.cfg.norm(*at_home(gemma, [x, scale]))
    assert y.dtype == jnp.bfloat16
    wide = gemma.cfg.norm(*at_home(gemma, [x.astype(np.float32), scale.astype(np.float32)]))
    close(y, np.asarray(wide).astype(jnp.bfloat16), 0)


def test_layer_norm_removes_the_mean(gemma):
    scale, bias = RANDOM((2, 6))
    expected = (X - X.mean(-1, keepdims=True)) / np.sqrt(X.var(-1, keepdims=True) + 1e-6) * (1 + scale) + bias
    close(gemma.room.layer_norm(X, scale, bias), expected, EXACT)


def test_batch_norm_compares_each_coordinate_across_the_batch(gemma):
    scale, bias = RANDOM((2, 6))
    expected = (X - X.mean((0, 1))) / np.sqrt(X.var((0, 1)) + 1e-6) * (1 + scale) + bias
    close(gemma.room.batch_norm(X, scale, bias), expected, EXACT)


# ---- positions

Q, FAR = RANDOM((2, 5, 3, 8)), np.random.default_rng(0).integers(0, 8000, (2, 5))


def test_rope_turns_pairs_as_complex_numbers_turn(gemma):
    """Coordinate i and i + H/2 are one complex number, multiplied by exp(i · position / 10000**(2i/H))."""
    speed = 1 / 10_000 ** (np.arange(4) / 4)
    turned = (Q[..., :4] + 1j * Q[..., 4:]) * np.exp(1j * FAR[:, :, None, None] * speed)
    close(gemma.cfg.rotate(Q, FAR, 10_000.0, 1.0), np.concatenate([turned.real, turned.imag], axis=-1), 1e-10)


def test_rope_keeps_lengths_and_leaves_the_first_position(gemma):
    turned = gemma.cfg.rotate(Q, FAR, 10_000.0, 1.0)
    close(np.linalg.norm(turned, axis=-1), np.linalg.norm(Q, axis=-1), EXACT)
    close(gemma.cfg.rotate(Q, 0 * FAR, 10_000.0, 1.0), Q, 0)


def test_a_stretched_position_counts_for_less(gemma):
    close(gemma.cfg.rotate(Q, 8 * FAR, 10_000.0, 8.0), gemma.cfg.rotate(Q, FAR, 10_000.0, 1.0), 1e-10)


def test_a_position_is_divided_and_not_multiplied_by_an_inverse(gemma):
    """In float32 p / 3 and p · (1/3) differ in the last digit, 2.4e-4 near 8191; DeepMind's first release divides."""
    positions, x = np.arange(8192)[None], np.tile(np.array([1, 0], np.float32), (1, 8192, 1, 1))
    angle = positions[0].astype(np.float32) / np.float32(3)
    close(gemma.cfg.rotate(x, positions, 10_000.0, 3.0)[0, :, 0, 1], np.sin(angle), 1e-6)


def test_waves_of_every_length_are_added(gemma):
    """Vaswani et al. 2017, section 3.5: sines, then cosines, at wavelengths from 2π to 10000 · 2π."""
    added = np.asarray(gemma.room.sinusoidal(X, FAR)) - X
    for i in range(3):
        close(added[..., i], np.sin(FAR / 10_000 ** (i / 3)), 1e-9)
        close(added[..., i + 3], np.cos(FAR / 10_000 ** (i / 3)), 1e-9)


def test_past_the_end_of_the_table_the_last_position_counts(gemma):
    table = RANDOM((4, 6))
    close(gemma.room.learned(X, np.tile([0, 3, 4, 99, 1], (2, 1)), table), X + table[[0, 3, 3, 3, 1]], 0)


# ---- attention

def test_the_mask_is_the_past_within_the_window(gemma):
    positions = np.array([[0, 2, 3]])
    seen = {np.inf: [[1, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]], 2: [[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]}
    for window, rows in seen.items():
        close(gemma.room.causal_mask(positions, 4, window)[0], rows, 0)


@pytest.mark.parametrize("K", [1, 2, 4])
def test_attention_head_by_head(gemma, K):
    """One query at a time, in a loop: its shares of the keys it sees, and their values' average."""
    q, k, v = RANDOM((2, 3, 4, 6)), RANDOM((2, 5, K, 6)), RANDOM((2, 5, K, 6))
    mask = np.tri(3, 5, 2, dtype=bool)[None].repeat(2, axis=0)
    expected = np.zeros_like(q)
    for b, t, n in np.ndindex(2, 3, 4):
        head, past = n * K // 4, mask[b, t]
        shares = np.exp(k[b, past, head] @ q[b, t, n] / np.sqrt(6))
        expected[b, t, n] = shares @ v[b, past, head] / shares.sum()
    close(gemma.room.attend(q, k, v, mask), expected, EXACT)


def test_each_position_has_its_slot_and_padding_has_none(gemma):
    cache, positions = {"k": np.zeros((2, 4, 1, 2)), "v": np.zeros((2, 4, 1, 2))}, np.array([[1, 0], [3, 4]])
    new = {"k": RANDOM((2, 2, 1, 2)), "v": RANDOM((2, 2, 1, 2))}
    kept = gemma.room.remember(at_home(gemma, cache), new, positions)
    for name, row, slot, t in [("k", 0, 1, 0), ("v", 0, 0, 1), ("k", 1, 3, 0)]:
        close(kept[name][row, slot], new[name][row, t], 0)
    assert np.count_nonzero(kept["k"]) == 3 * 2      # the fourth pointed past the end


# ---- the MLP, the loss, the block

def test_a_gate_multiplies_what_it_lets_through(gemma):
    room, gate, up, down = gemma.room, RANDOM((6, 7)), RANDOM((6, 7)), RANDOM((7, 6))
    gates = {room.geglu: room.gelu, room.swiglu: room.silu, room.reglu: room.relu, room.glu: room.sigmoid}
    for mlp, activation in gates.items():
        close(mlp(X, gate, up, down), (np.asarray(activation(X @ gate)) * (X @ up)) @ down, EXACT)
    close(room.plain_mlp(X, up, down), np.asarray(room.gelu(X @ up)) @ down, EXACT)


def test_the_loss_is_minus_the_log_of_the_probability(gemma):
    logits, targets = RANDOM((2, 5, 8)), TOKENS[:, :5] % 8
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = -np.log([[probabilities[b, t, targets[b, t]] for t in range(5)] for b in range(2)])
    close(gemma.room.cross_entropy(logits, targets), expected, EXACT)
    close(gemma.room.cross_entropy(np.zeros((1, 1, 256)), np.zeros((1, 1), int)), [[np.log(256)]], EXACT)


def test_the_loss_compares_each_token_with_the_one_before():
    gemma = GEMMAS["numpy"]
    params = weights(gemma)
    logits, _ = gemma.forward(gemma.cfg, params, TOKENS)
    expected = np.mean(gemma.room.cross_entropy(logits[:, :-1], TOKENS[:, 1:]))
    close(gemma.room.loss(gemma.cfg, params, TOKENS), expected, EXACT)


def test_a_block_names_its_points():
    gemma, seen = GEMMAS["numpy"], {}

    def watch(name, x):
        seen[name] = x
        return x
    cfg, fixed, x, *rest = arguments(gemma, "block", "block", seed=0)
    after, _ = gemma.room.block(cfg, fixed, x, *rest, tap=watch)
    assert list(seen) == ["probs", "mixer", "mlp", "stream"]
    close(seen["probs"].sum(-1), np.ones(seen["probs"].shape[:-1]), EXACT)
    close(x + seen["mixer"] + seen["mlp"], seen["stream"], EXACT)
    close(seen["stream"], after, 0)


# ---- memory in a loop

def open_and_shut(gemma, D, C):
    """Gates that are wide open and shut whatever comes in."""
    return [(np.zeros((D, C)), np.zeros((C, C)), np.full(C, bias)) for bias in (50.0, -50.0)]


def test_an_lstm_whose_forget_gate_is_open_keeps_its_cell(gemma):
    """And shows its tanh; with the gates the other way round it forgets all and takes in what is new."""
    x, h, c, new = RANDOM((2, 6)), RANDOM((2, 3)), RANDOM((2, 3)), (RANDOM((6, 3)), RANDOM((3, 3)), RANDOM(3))
    wide, shut = open_and_shut(gemma, 6, 3)
    shown, kept = gemma.room.lstm_cell(x, (h, c), wide, shut, wide, new)
    close(kept, c, EXACT)
    close(shown, np.tanh(c), EXACT)
    _, taken = gemma.room.lstm_cell(x, (h, c), shut, wide, wide, new)
    close(taken, np.tanh(x @ new[0] + h @ new[1] + new[2]), EXACT)


def test_a_gru_slides_from_the_old_to_the_new(gemma):
    x, h, new = RANDOM((2, 6)), RANDOM((2, 3)), (RANDOM((6, 3)), RANDOM((3, 3)), RANDOM(3))
    wide, shut = open_and_shut(gemma, 6, 3)
    close(gemma.room.gru_cell(x, h, wide, wide, new), h, EXACT)
    close(gemma.room.gru_cell(x, h, shut, wide, new), np.tanh(x @ new[0] + h @ new[1] + new[2]), EXACT)
    close(gemma.room.gru_cell(x, h, shut, shut, new), np.tanh(x @ new[0] + new[2]), EXACT)      # blind to the old


@pytest.mark.parametrize("name", ["rnn", "gru"])
def test_a_network_is_its_cell_again_and_again(gemma, name):
    x, h, *w = arguments(gemma, "recurrent", name, seed=3)
    together, states, cell = getattr(gemma.room, name)(x, h, *w), [], getattr(gemma.room, f"{name}_cell")
    for t in range(x.shape[1]):
        h = cell(x[:, t], h, *w)
        states.append(np.asarray(h))
    close(together, np.stack(states, axis=1), EXACT)


def test_memory_does_not_see_the_future(gemma):
    for name in "rnn", "lstm", "gru":
        x, *rest = arguments(gemma, "recurrent", name, seed=3)
        before = getattr(gemma.room, name)(x, *rest)
        after = getattr(gemma.room, name)(at_home(gemma, np.concatenate([x[:, :-1], x[:, -1:] + 1], axis=1)), *rest)
        close(before[:, :-1], after[:, :-1], EXACT)
        assert apart(before[:, -1], after[:, -1]) > 1e-3
