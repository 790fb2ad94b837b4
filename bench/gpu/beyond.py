"""What model.py predicts beside tiles of f32: products by matrix units, convolutions with fewer multiplications, and
attention in tiles. Blocks are those of the tables in backends/opencl; times are bounded as in model.py."""
import collections
import itertools
import math

from cards import F32, OVERHEAD, REACHED, hidden, rate
from static import rows_of_numbers

STEP = 16  # numbers of k that a product of 16 x 16 x 16 takes


def bounded(terms, launches, card):
    """Seconds, and what bounds them."""
    bound = max(terms, key=terms.get)
    return terms[bound] + launches * card.launch, bound if terms[bound] > launches * card.launch else "launch"


# ---- products by matrix units ----

# What is multiplied: bytes of a number as it is stored, and of a part in local memory; parts of each factor, and
# products of them; how often sums leave the unit in 16 numbers of k, to be added as f32; as TF32; in stages.
Form = collections.namedtuple("Form", "name size part parts products exact tf32 staged")
FORMS = [Form("bf16, as stored", 2, 2, 1, 1, 1, 0, 0), Form("bf16, as stored, in stages", 2, 2, 1, 1, 1, 0, 1),
         Form("f32 as 3 x bf16", 4, 2, 3, 6, 1, 0, 0), Form("f32 as 2 x TF32, in stages", 4, 4, 2, 3, 2, 1, 1),
         Form("f32 as 2 x bf16 (`f32-fast`)", 4, 2, 2, 3, 0, 0, 0), Form("f32 as 1 x bf16 (`bf16`)", 4, 2, 1, 1, 0, 0, 0)]
SPLIT = 4  # instructions that a part of a number takes, when it is made


def blocks(form, card, m):
    """(waves across, waves down, tiles down, tiles across) that a product of m rows may get."""
    if form.staged:
        _, real = rows_of_numbers("staged.c", 5)
        return [[real[1] * wide, *real[2:]] for wide in (1, 2)]
    raw = form.size == 2
    return [next(row[4:] for row in rows_of_numbers("matrix.c", 8)
                 if row[0] == card.wave and not row[1] and row[2] <= raw and (not row[3] or m <= row[3]))]


def matrix_terms(form, card, block, size, segments):
    """Of a product of size x size x size whose sum is in so many segments: seconds by each bound."""
    across, down, tiles_m, tiles_n = block
    high, wide, waves = down * tiles_m * 16, across * tiles_n * 16, across * down
    groups, k = math.ceil(size / high) * math.ceil(size / wide) * segments, size / segments
    turns, steps, items = math.ceil(groups / card.units), k / STEP, waves * card.wave
    part = hidden(card, turns, items)
    unit = (card.tf32 if form.tf32 else card.bf16) * card.reached / card.units
    loaded = waves * (tiles_m + tiles_n) * 16 * STEP * form.part * (1 if form.staged else form.parts)
    brought = (high + wide) * STEP * (form.size if form.staged else form.part * form.parts)
    plain = form.exact * high * wide + SPLIT * form.parts * (form.parts > 1) * (
        waves * (tiles_m + tiles_n) * 16 * STEP if form.staged else (high + wide) * STEP)
    return {"matrix units": turns * steps * 2 * high * wide * STEP * form.products / unit / part,
            "additions": turns * steps * plain / rate(card) / part,
            "local memory": turns * steps * (loaded + brought) / (card.local * card.clock),
            "cache": groups * (high + wide) * k * form.size / card.cache,
            "memory": (2 * size * size * form.size + (2 * segments - 1) * size * size * F32) / (card.memory * REACHED)}


def matrix_product(form, card, size):
    """The best of all blocks and segments: seconds, what bounds it, operations a second; None: it can't be made."""
    if (form.tf32 and not card.tf32) or (form.staged and card.vendor != "NVIDIA"):
        return None
    tried = [bounded(matrix_terms(form, card, block, size, segments), 1 + (segments > 1), card)
             for block, segments in itertools.product(blocks(form, card, size), (1, 2, 4, 8))]
    seconds, bound = min(tried)
    return {"seconds": seconds, "bound": bound, "rate": 2 * size ** 3 / seconds}


# ---- convolutions with fewer multiplications ----

SPREAD = 48  # additions and stores for 4 x 4 pixels of a channel that become as many numbers


def winograd_size(launch):
    """(filters, channels, elements of the result) of a launch of tn_conv_winograd."""
    m, channels, batch, _, _, _, _, p, q, _, _ = launch.numbers[-11:]
    return m, channels, batch * m * p * q


def winograd_terms(launch, card):
    tile = launch.tile
    _, channels, _ = winograd_size(launch)
    items, sums = 16 * tile["SIDE_U"] * tile["SIDE_V"], tile["ROWS"] * tile["COLS"]
    high, wide, loads = tile["SIDE_V"] * tile["ROWS"], tile["SIDE_U"] * tile["COLS"], (tile["ROWS"] + tile["COLS"]) // 4
    turns = math.ceil(launch.groups / card.units)
    work = 16 * high * wide * (sums + loads + OVERHEAD) / sums + SPREAD * wide
    return {"arithmetic": turns * channels * work / rate(card) / hidden(card, turns, items),
            "local memory": turns * channels * (items * loads * F32 + 16 * (high + wide) * F32) / (card.local * card.clock),
            "cache": launch.groups * channels * 16 * (high + wide) * F32 / card.cache}


def winograd_time(kernel, launch, card):
    """With the launch before it that spreads the filters."""
    m, channels, _ = winograd_size(launch)
    moved = kernel.bytes + 2 * 16 * m * channels * F32
    return bounded({**winograd_terms(launch, card), "memory": moved / (card.memory * REACHED)}, 2, card)


# ---- attention in tiles ----

BLOCK, EXPONENTIAL = 64, 20  # queries of a group and keys at a time; instructions of a score beside its product
Attention = collections.namedtuple("Attention", "heads queries numbers")


def block_product(numbers):
    """Instructions of a product of 64 x 64 x `numbers`, or one whose result has so many columns, 4 x 4 sums at a time."""
    return BLOCK * BLOCK * numbers * (16 + 2 + OVERHEAD) / 16


def attention_terms(a, card, products, scores):
    """Of a launch whose groups go through the others in blocks, causal: half of them are seen."""
    groups = a.heads * math.ceil(a.queries / BLOCK)
    turns, seen = math.ceil(groups / card.units), (a.queries / BLOCK + 1) / 2
    one = products * block_product(a.numbers) + scores * EXPONENTIAL * BLOCK * BLOCK
    loaded = products * BLOCK * BLOCK * a.numbers / 16 * 2 * 4 * F32 / 4  # four work-items read one vector
    return {"arithmetic": turns * seen * one / rate(card) / hidden(card, turns, 256),
            "local memory": turns * seen * loaded / (card.local * card.clock),
            "cache": groups * seen * 2 * BLOCK * a.numbers * F32 / card.cache}


def attention_time(a, card):
    """Forward: scores and means. Seconds, and what bounds them."""
    return bounded(attention_terms(a, card, 2, 1), 1, card)


def attention_grad_time(a, card):
    """A launch for queries (scores, what dy means for them, dq), one or two for keys and values (both again, dk, dv), and
    a short one before."""
    parts = 1 + (a.numbers > 64)
    queries, keys = attention_terms(a, card, 3, 1), attention_terms(a, card, 4 if parts == 1 else 6, parts)
    return bounded({bound: queries[bound] + keys[bound] for bound in queries}, 2 + parts, card)
