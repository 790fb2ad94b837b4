"""ops.py: the operators, as functions of tensors. Made by python/generate.py from the headers: don't edit."""
# fmt: off
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from . import c
from ._build import op

if TYPE_CHECKING:
    from ._build import Axes, Dtype, Operand, Shape
    from .tensor import Graph, Tensor


def neg(x: Operand) -> Tensor:
    """-x"""
    return op("tn_neg", "t", x)


def abs(x: Operand) -> Tensor:
    """absolute value; the derivative at 0 is 0"""
    return op("tn_abs", "t", x)


def sign(x: Operand) -> Tensor:
    """-1, 0 or 1"""
    return op("tn_sign", "t", x)


def square(x: Operand) -> Tensor:
    """x squared"""
    return op("tn_square", "t", x)


def sqrt(x: Operand) -> Tensor:
    """square root"""
    return op("tn_sqrt", "t", x)


def rsqrt(x: Operand) -> Tensor:
    """1 / sqrt(x)"""
    return op("tn_rsqrt", "t", x)


def reciprocal(x: Operand) -> Tensor:
    """1 / x"""
    return op("tn_reciprocal", "t", x)


def exp(x: Operand) -> Tensor:
    """e to the x"""
    return op("tn_exp", "t", x)


def exp2(x: Operand) -> Tensor:
    """2 to the x"""
    return op("tn_exp2", "t", x)


def expm1(x: Operand) -> Tensor:
    """exp(x) - 1, exact for small x"""
    return op("tn_expm1", "t", x)


def log(x: Operand) -> Tensor:
    """natural logarithm"""
    return op("tn_log", "t", x)


def log2(x: Operand) -> Tensor:
    """logarithm to the base of 2"""
    return op("tn_log2", "t", x)


def log10(x: Operand) -> Tensor:
    """logarithm to the base of 10"""
    return op("tn_log10", "t", x)


def log1p(x: Operand) -> Tensor:
    """log(1 + x), exact for small x"""
    return op("tn_log1p", "t", x)


def sin(x: Operand) -> Tensor:
    """sine of x radians"""
    return op("tn_sin", "t", x)


def cos(x: Operand) -> Tensor:
    """cosine of x radians"""
    return op("tn_cos", "t", x)


def tan(x: Operand) -> Tensor:
    """tangent of x radians"""
    return op("tn_tan", "t", x)


def asin(x: Operand) -> Tensor:
    """the angle from -pi/2 to pi/2 whose sine is x"""
    return op("tn_asin", "t", x)


def acos(x: Operand) -> Tensor:
    """the angle from 0 to pi whose cosine is x"""
    return op("tn_acos", "t", x)


def atan(x: Operand) -> Tensor:
    """the angle from -pi/2 to pi/2 whose tangent is x"""
    return op("tn_atan", "t", x)


def sinh(x: Operand) -> Tensor:
    """hyperbolic sine"""
    return op("tn_sinh", "t", x)


def cosh(x: Operand) -> Tensor:
    """hyperbolic cosine"""
    return op("tn_cosh", "t", x)


def asinh(x: Operand) -> Tensor:
    """the number whose hyperbolic sine is x"""
    return op("tn_asinh", "t", x)


def acosh(x: Operand) -> Tensor:
    """the number from 0 on whose hyperbolic cosine is x"""
    return op("tn_acosh", "t", x)


def atanh(x: Operand) -> Tensor:
    """the number whose hyperbolic tangent is x"""
    return op("tn_atanh", "t", x)


def erf(x: Operand) -> Tensor:
    """error function"""
    return op("tn_erf", "t", x)


def floor(x: Operand) -> Tensor:
    """largest integer not above x"""
    return op("tn_floor", "t", x)


def ceil(x: Operand) -> Tensor:
    """smallest integer not below x"""
    return op("tn_ceil", "t", x)


def trunc(x: Operand) -> Tensor:
    """x without what follows the point"""
    return op("tn_trunc", "t", x)


def round(x: Operand) -> Tensor:
    """nearest integer; of two the even one"""
    return op("tn_round", "t", x)


def isnan(x: Operand) -> Tensor:
    """1 if x is not a number, else 0"""
    return op("tn_isnan", "t", x)


def isinf(x: Operand) -> Tensor:
    """1 if x is an infinity, else 0"""
    return op("tn_isinf", "t", x)


def isfinite(x: Operand) -> Tensor:
    """1 if x is neither infinite nor NaN, else 0"""
    return op("tn_isfinite", "t", x)


def step(x: Operand) -> Tensor:
    """Heaviside step: 1 from 0 on, else 0"""
    return op("tn_step", "t", x)


def relu(x: Operand) -> Tensor:
    """x, or 0 when x is negative"""
    return op("tn_relu", "t", x)


def relu6(x: Operand) -> Tensor:
    """x within 0..6"""
    return op("tn_relu6", "t", x)


def hard_tanh(x: Operand) -> Tensor:
    """x within -1..1"""
    return op("tn_hard_tanh", "t", x)


def softsign(x: Operand) -> Tensor:
    """x / (1 + |x|)"""
    return op("tn_softsign", "t", x)


def tanh_shrink(x: Operand) -> Tensor:
    """x - tanh(x)"""
    return op("tn_tanh_shrink", "t", x)


def sigmoid(x: Operand) -> Tensor:
    """logistic function"""
    return op("tn_sigmoid", "t", x)


def tanh(x: Operand) -> Tensor:
    """hyperbolic tangent"""
    return op("tn_tanh", "t", x)


def softplus(x: Operand) -> Tensor:
    """log(1 + exp(x)), for any x"""
    return op("tn_softplus", "t", x)


def log_sigmoid(x: Operand) -> Tensor:
    """log(sigmoid(x)), for any x"""
    return op("tn_log_sigmoid", "t", x)


def gelu(x: Operand) -> Tensor:
    """x times the normal distribution's share below x"""
    return op("tn_gelu", "t", x)


def gelu_tanh(x: Operand) -> Tensor:
    """gelu by tanh"""
    return op("tn_gelu_tanh", "t", x)


def silu(x: Operand) -> Tensor:
    """x sigmoid(x)"""
    return op("tn_silu", "t", x)


def selu(x: Operand) -> Tensor:
    """scaled elu: keeps mean 0 and variance 1 from layer to layer"""
    return op("tn_selu", "t", x)


def hard_sigmoid(x: Operand) -> Tensor:
    """x / 6 + 1/2 within 0..1"""
    return op("tn_hard_sigmoid", "t", x)


def hard_swish(x: Operand) -> Tensor:
    """x hard_sigmoid(x)"""
    return op("tn_hard_swish", "t", x)


def mish(x: Operand) -> Tensor:
    """x tanh(softplus(x))"""
    return op("tn_mish", "t", x)


def add(a: Operand, b: Operand) -> Tensor:
    """a + b"""
    return op("tn_add", "tt", a, b)


def sub(a: Operand, b: Operand) -> Tensor:
    """a - b"""
    return op("tn_sub", "tt", a, b)


def mul(a: Operand, b: Operand) -> Tensor:
    """a b"""
    return op("tn_mul", "tt", a, b)


def div(a: Operand, b: Operand) -> Tensor:
    """a / b; of integers towards zero, and 0 where b is 0"""
    return op("tn_div", "tt", a, b)


def min(a: Operand, b: Operand) -> Tensor:
    """the smaller; NaN wins; a takes the gradient of a tie"""
    return op("tn_min", "tt", a, b)


def max(a: Operand, b: Operand) -> Tensor:
    """the larger; NaN wins; a takes the gradient of a tie"""
    return op("tn_max", "tt", a, b)


def pow(a: Operand, b: Operand) -> Tensor:
    """a to the b"""
    return op("tn_pow", "tt", a, b)


def fmod(a: Operand, b: Operand) -> Tensor:
    """the rest of a by b, of a's sign"""
    return op("tn_fmod", "tt", a, b)


def remainder(a: Operand, b: Operand) -> Tensor:
    """the rest of a by b, of b's sign"""
    return op("tn_remainder", "tt", a, b)


def atan2(a: Operand, b: Operand) -> Tensor:
    """the angle from -pi to pi of the point (b, a)"""
    return op("tn_atan2", "tt", a, b)


def eq(a: Operand, b: Operand) -> Tensor:
    """1 if a = b, else 0"""
    return op("tn_eq", "tt", a, b)


def ne(a: Operand, b: Operand) -> Tensor:
    """1 if a differs from b, else 0"""
    return op("tn_ne", "tt", a, b)


def lt(a: Operand, b: Operand) -> Tensor:
    """1 if a < b, else 0"""
    return op("tn_lt", "tt", a, b)


def le(a: Operand, b: Operand) -> Tensor:
    """1 if a <= b, else 0"""
    return op("tn_le", "tt", a, b)


def gt(a: Operand, b: Operand) -> Tensor:
    """1 if a > b, else 0"""
    return op("tn_gt", "tt", a, b)


def ge(a: Operand, b: Operand) -> Tensor:
    """1 if a >= b, else 0"""
    return op("tn_ge", "tt", a, b)


def logical_and(a: Operand, b: Operand) -> Tensor:
    """1 if neither is 0, else 0"""
    return op("tn_logical_and", "tt", a, b)


def logical_or(a: Operand, b: Operand) -> Tensor:
    """1 if one or both are not 0, else 0"""
    return op("tn_logical_or", "tt", a, b)


def logical_xor(a: Operand, b: Operand) -> Tensor:
    """1 if just one is not 0, else 0"""
    return op("tn_logical_xor", "tt", a, b)


def leaky_relu(a: Operand, b: Operand) -> Tensor:
    """a, or a b when a is negative: b is the slope"""
    return op("tn_leaky_relu", "tt", a, b)


def elu(a: Operand, b: Operand) -> Tensor:
    """a, or b (exp(a) - 1) when a is negative"""
    return op("tn_elu", "tt", a, b)


def where(condition: Operand, a: Operand, b: Operand) -> Tensor:
    """condition is not 0 ? a : b"""
    return op("tn_where", "ttt", condition, a, b)


def logistic(x: Operand, top: float = 1.0, k: float = 1.0, x0: float = 0.0) -> Tensor:
    """The general logistic function L / (1 + exp(-k (x - x0)))."""
    return op("tn_logistic", "tfff", x, top, k, x0)


def clamp(x: Operand, low: float = float('-inf'), high: float = float('inf')) -> Tensor:
    """x kept within low..high; at a bound the gradient flows."""
    return op("tn_clamp", "tff", x, low, high)


def celu(x: Operand, alpha: float = 1.0) -> Tensor:
    """x, or alpha (exp(x / alpha) - 1) when x is negative; alpha > 0. Barron, 2017."""
    return op("tn_celu", "tf", x, alpha)


def hard_shrink(x: Operand, lambd: float = 0.5) -> Tensor:
    """0 from -lambda to lambda, else x; and what x has beyond that range. lambda >= 0."""
    return op("tn_hard_shrink", "tf", x, lambd)


def soft_shrink(x: Operand, lambd: float = 0.5) -> Tensor:
    """0 from -lambda to lambda, else x; and what x has beyond that range. lambda >= 0."""
    return op("tn_soft_shrink", "tf", x, lambd)


def threshold(x: Operand, threshold: float, value: float) -> Tensor:
    """x above the threshold, else a value."""
    return op("tn_threshold", "tff", x, threshold, value)


def glu(x: Operand, axis: int = -1) -> Tensor:
    """The first half along an axis times the sigmoid of the second. Dauphin and others, 2017."""
    return op("tn_glu", "ti", x, axis)


def masked_fill(x: Operand, mask: Operand, value: float) -> Tensor:
    """A value where the mask, of any type and broadcast with x, is not 0; else x."""
    return op("tn_masked_fill", "ttf", x, mask, value)


def logical_not(x: Operand) -> Tensor:
    """1 where x is 0, else 0."""
    return op("tn_logical_not", "t", x)


def cast(x: Operand, dtype: Dtype) -> Tensor:
    """x as another element type; to an integer: towards zero."""
    return op("tn_cast", "td", x, dtype)


def stop_gradient(x: Operand) -> Tensor:
    """x as it is, as a constant to grad: no gradient flows to what x depends on. Costs nothing."""
    return op("tn_stop_gradient", "t", x)


def broadcast_to(x: Operand, shape: Shape) -> Tensor:
    """x stretched to a shape."""
    return op("tn_broadcast", "ts", x, shape)


def iota(graph: Graph, shape: Shape, axis: int = -1) -> Tensor:
    """The coordinate along an axis, as i32."""
    return op("tn_iota", "gsi", graph, shape, axis)


def arange(graph: Graph, start: float, step: float, count: int) -> Tensor:
    """f32: start, start + step, ...; and `count` numbers at even distances, of which first and last are exact."""
    return op("tn_arange", "gffi", graph, start, step, count)


def linspace(graph: Graph, first: float, last: float, count: int) -> Tensor:
    """f32: start, start + step, ...; and `count` numbers at even distances, of which first and last are exact."""
    return op("tn_linspace", "gffi", graph, first, last, count)


def eye(graph: Graph, n: int) -> Tensor:
    """The unit matrix (n, n), f32."""
    return op("tn_eye", "gi", graph, n)


def random_uniform(graph: Graph, shape: Shape) -> Tensor:
    """[0, 1)"""
    return op("tn_random_uniform", "gs", graph, shape)


def random_normal(graph: Graph, shape: Shape) -> Tensor:
    """mean 0, variance 1"""
    return op("tn_random_normal", "gs", graph, shape)


def dropout(x: Operand, rate: float) -> Tensor:
    """x / (1 - rate) or, with probability `rate`, 0. Srivastava and others, 2014. 0 <= rate < 1."""
    return op("tn_dropout", "tf", x, rate)


def reshape(x: Operand, shape: Shape) -> Tensor:
    """one dimension may be -1; costs nothing"""
    return op("tn_reshape", "ts", x, shape)


def flatten(x: Operand) -> Tensor:
    """(n, ...) -> (n, the rest)"""
    return op("tn_flatten", "t", x)


def slice(x: Operand, axis: int, start: int, count: int, step: int = 1) -> Tensor:
    """`count` elements of an axis: start, start + step, ...; a negative start counts from the end, a step may be negative
    but not 0. All of them must be there."""
    return op("tn_slice", "tiiii", x, axis, start, count, step)


def flip(x: Operand, axis: int = -1) -> Tensor:
    """`count` elements of an axis: start, start + step, ...; a negative start counts from the end, a step may be negative
    but not 0. All of them must be there."""
    return op("tn_flip", "ti", x, axis)


def unslice(x: Operand, axis: int, start: int, step: int, size: int) -> Tensor:
    """The inverse: x's elements at start, start + step, ... of an axis of `size` elements, the rest zeros."""
    return op("tn_unslice", "tiiii", x, axis, start, step, size)


def pad(x: Operand, axis: int, before: int, after: int) -> Tensor:
    """Zeros before and after x along an axis; or another number."""
    return op("tn_pad", "tiii", x, axis, before, after)


def pad_value(x: Operand, axis: int, before: int, after: int, value: float) -> Tensor:
    """Zeros before and after x along an axis; or another number."""
    return op("tn_pad_value", "tiiif", x, axis, before, after, value)


def concat(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """One after another along an axis; all other dimensions are equal."""
    return op("tn_concat", "li", tensors, axis)


def stack(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Tensors of one shape along a new axis, which is given by its place in the result."""
    return op("tn_stack", "li", tensors, axis)


def tile(x: Operand, axis: int, count: int) -> Tensor:
    """x as a whole, or each of its elements, `count` times along an axis: abab and aabb."""
    return op("tn_tile", "tii", x, axis, count)


def repeat(x: Operand, axis: int, count: int) -> Tensor:
    """x as a whole, or each of its elements, `count` times along an axis: abab and aabb."""
    return op("tn_repeat", "tii", x, axis, count)


def unsqueeze(x: Operand, axis: int = -1) -> Tensor:
    """A new dimension of 1, by its place in the result; without a dimension of 1; two dimensions for each other."""
    return op("tn_unsqueeze", "ti", x, axis)


def squeeze(x: Operand, axis: int = -1) -> Tensor:
    """A new dimension of 1, by its place in the result; without a dimension of 1; two dimensions for each other."""
    return op("tn_squeeze", "ti", x, axis)


def swap_axes(x: Operand, first: int, second: int) -> Tensor:
    """A new dimension of 1, by its place in the result; without a dimension of 1; two dimensions for each other."""
    return op("tn_swap_axes", "tii", x, first, second)


def roll(x: Operand, axis: int, shift: int) -> Tensor:
    """Element i goes to place i + shift of an axis, and from its end to its beginning."""
    return op("tn_roll", "tii", x, axis, shift)


def pad_edge(x: Operand, axis: int, before: int, after: int) -> Tensor:
    """Before and after x along an axis: its first and last element again; its elements mirrored at these (c b a b c b a);
    or those of its other end (b c a b c a b). The last two take no more elements than there are."""
    return op("tn_pad_edge", "tiii", x, axis, before, after)


def pad_reflect(x: Operand, axis: int, before: int, after: int) -> Tensor:
    """Before and after x along an axis: its first and last element again; its elements mirrored at these (c b a b c b a);
    or those of its other end (b c a b c a b). The last two take no more elements than there are."""
    return op("tn_pad_reflect", "tiii", x, axis, before, after)


def pad_wrap(x: Operand, axis: int, before: int, after: int) -> Tensor:
    """Before and after x along an axis: its first and last element again; its elements mirrored at these (c b a b c b a);
    or those of its other end (b c a b c a b). The last two take no more elements than there are."""
    return op("tn_pad_wrap", "tiii", x, axis, before, after)


def diag(x: Operand) -> Tensor:
    """(n) -> (n, n), x on the diagonal, else 0; (m, n) -> its diagonal."""
    return op("tn_diag", "t", x)


def tril(x: Operand, diagonal: int = 0) -> Tensor:
    """The lower or upper triangle of the last two dimensions, up to or from that diagonal (0: the main one, 1: the one
    above it); the rest becomes 0."""
    return op("tn_tril", "ti", x, diagonal)


def triu(x: Operand, diagonal: int = 0) -> Tensor:
    """The lower or upper triangle of the last two dimensions, up to or from that diagonal (0: the main one, 1: the one
    above it); the rest becomes 0."""
    return op("tn_triu", "ti", x, diagonal)


def matmul(a: Operand, b: Operand) -> Tensor:
    """(..., m, k)(..., k, n) -> (..., m, n), as NumPy's matmul: leading dimensions are a batch, and broadcast. A vector is
    a row on the left and a column on the right, and the result lacks that dimension."""
    return op("tn_matmul", "tt", a, b)


def matmul_t(a: Operand, b: Operand, transpose_a: bool = False, transpose_b: bool = False) -> Tensor:
    """The same with the last two dimensions of a or b swapped first."""
    return op("tn_matmul_t", "ttbb", a, b, transpose_a, transpose_b)


def outer(a: Operand, b: Operand) -> Tensor:
    """(m...), (n) -> (m..., n): each element of a times each of b, for vectors."""
    return op("tn_outer", "tt", a, b)


def einsum(equation: str, tensors: Sequence[Tensor]) -> Tensor:
    """Sums of products, as NumPy's einsum: "bij,bjk->bik", "ii->i", "...i,i" of 1 to 16 operands of one element type. What
    "..." stands for stretches; a letter has one size."""
    return op("tn_einsum", "zl", equation, tensors)


def det(x: Operand) -> Tensor:
    """The determinants of matrices (..., n, n), n from 1 to 256."""
    return op("tn_det", "t", x)


def conv2d(x: Operand, weight: Operand, *, stride: Any = None, pad: Any = None, dilation: Any = None,
        groups: Any = None, size: Any = None) -> Tensor:
    """x (b, c, h, w), weight (k, c / groups, r, s) -> (b, k, p, q). A row of data is an image of height 1.

    stride: 0: 1; a width of 0 is the height
    pad: zeros at the beginning, and as many at the end unless `size` asks for other; a width of 0 is none, for a kernel
    of one column wants that
    dilation: as the stride
    groups: 0 means 1: output channels see only the input channels of their group
    size: of the result; 0: what whole windows give"""
    return op("tn_convolve2d", "tto", x, weight, (c.tn_conv_options, {"stride": stride, "pad": pad,
                  "dilation": dilation, "groups": groups, "size": size}))


def conv2d_transposed(x: Operand, weight: Operand, *, stride: Any = None, pad: Any = None, dilation: Any = None,
        groups: Any = None, size: Any = None) -> Tensor:
    """The transposed convolution: x (b, k, p, q), weight (k, c / groups, r, s) -> (b, c, h, w), such that convolve2d by
    the same options leads from (h, w) to (p, q).

    stride: 0: 1; a width of 0 is the height
    pad: zeros at the beginning, and as many at the end unless `size` asks for other; a width of 0 is none, for a kernel
    of one column wants that
    dilation: as the stride
    groups: 0 means 1: output channels see only the input channels of their group
    size: of the result; 0: what whole windows give"""
    return op("tn_convolve2d_transposed", "tto", x, weight, (c.tn_conv_options, {"stride": stride, "pad": pad,
                  "dilation": dilation, "groups": groups, "size": size}))


def maxpool2d(x: Operand, *, window: Any = None, stride: Any = None, pad: Any = None, ceil_mode: Any = None,
        count_pad: Any = None) -> Tensor:
    """The largest of each window; padding never is, a NaN always. maxpool2d(x, window=(2, 2))

    window: a width of 0 is the height: {2} is 2 x 2
    stride: the same; both 0: as the window
    pad: on both sides, smaller than the window; a width of 0 is none
    ceil_mode: the last window may reach over the end
    count_pad: averages count the padding as zeros"""
    return op("tn_maxpool2d_with", "to", x, (c.tn_pool_options, {"window": window, "stride": stride, "pad": pad,
                  "ceil_mode": ceil_mode, "count_pad": count_pad}))


def avgpool2d(x: Operand, *, window: Any = None, stride: Any = None, pad: Any = None, ceil_mode: Any = None,
        count_pad: Any = None) -> Tensor:
    """The mean of each window. avgpool2d(x, window=(2, 2))

    window: a width of 0 is the height: {2} is 2 x 2
    stride: the same; both 0: as the window
    pad: on both sides, smaller than the window; a width of 0 is none
    ceil_mode: the last window may reach over the end
    count_pad: averages count the padding as zeros"""
    return op("tn_avgpool2d_with", "to", x, (c.tn_pool_options, {"window": window, "stride": stride, "pad": pad,
                  "ceil_mode": ceil_mode, "count_pad": count_pad}))


def adaptive_avgpool2d(x: Operand, height: int, width: int) -> Tensor:
    """(b, c, h, w) -> (b, c, height, width): element i is the mean from floor(i h / height) to ceil((i + 1) h / height). An
    infinity or NaN may make others of its image NaN."""
    return op("tn_adaptive_avgpool2d", "tii", x, height, width)


def global_avgpool2d(x: Operand) -> Tensor:
    """The mean of each channel, or the largest: (b, c, h, w) -> (b, c)."""
    return op("tn_global_avgpool2d", "t", x)


def global_maxpool2d(x: Operand) -> Tensor:
    """The mean of each channel, or the largest: (b, c, h, w) -> (b, c)."""
    return op("tn_global_maxpool2d", "t", x)


def resize_nearest(x: Operand, height: int, width: int) -> Tensor:
    """(b, c, h, w) -> (b, c, height, width): row i is row floor(i h / height), as PyTorch's "nearest"; or the two rows
    around it by their distance, where the outer pixels' centres (`align_corners`) or edges meet. An infinity or NaN then
    makes others of its row and column NaN. height x h is at most 2^29, and width x w."""
    return op("tn_resize_nearest", "tii", x, height, width)


def resize_bilinear(x: Operand, height: int, width: int, align_corners: bool = False) -> Tensor:
    """(b, c, h, w) -> (b, c, height, width): row i is row floor(i h / height), as PyTorch's "nearest"; or the two rows
    around it by their distance, where the outer pixels' centres (`align_corners`) or edges meet. An infinity or NaN then
    makes others of its row and column NaN. height x h is at most 2^29, and width x w."""
    return op("tn_resize_bilinear", "tiib", x, height, width, align_corners)


def interpolate(x: Operand, axis: int, count: int, start: float, step: float = 1, *, mode: Any = None,
        round: Any = None, cubic: Any = None, antialias: Any = None, exclude: Any = None,
        width: Any = None) -> Tensor:
    """x at `count` places along an axis: start, start + step, ..., which need not be whole.

    mode: TN_LINEAR, TN_NEAREST or TN_CUBIC, below
    round: for the nearest
    cubic: Keys' a; 0: -0.75
    antialias: a width above 1 takes all elements in its reach into account
    exclude: what would lie outside counts for nothing; else it is the outermost element again
    width: for antialias: of how many elements one of the result stands for; 0: the step"""
    return op("tn_interpolate", "tiiffo", x, axis, count, start, step, (c.tn_interpolate_options, {"mode": mode,
                  "round": round, "cubic": cubic, "antialias": antialias, "exclude": exclude, "width": width}))


def resize(x: Operand, sizes: Shape, *, mode: Any = None, align_corners: Any = None, antialias: Any = None,
        exact: Any = None) -> Tensor:
    """(b, c, any sizes...) -> (b, c, sizes...), as PyTorch's interpolate: linear, or, by mode, nearest or cubic, of several
    dimensions one after another. With `align_corners` and `antialias` together the outer centres meet, which in PyTorch
    they do not.

    align_corners: the outer elements' centres meet, else their edges
    antialias: as above; cubic with a = -0.5
    exact: nearest by centres, PyTorch's "nearest-exact"; else by edges"""
    return op("tn_resize", "tso", x, sizes, (c.tn_resize_options, {"mode": mode, "align_corners": align_corners,
                  "antialias": antialias, "exact": exact}))


def pixel_shuffle(x: Operand, factor: int) -> Tensor:
    """(b, c r r, h, w) -> (b, c, h r, w r) for a factor r: channels become pixels; and back. Shi and others, 2016."""
    return op("tn_pixel_shuffle", "ti", x, factor)


def pixel_unshuffle(x: Operand, factor: int) -> Tensor:
    """(b, c r r, h, w) -> (b, c, h r, w r) for a factor r: channels become pixels; and back. Shi and others, 2016."""
    return op("tn_pixel_unshuffle", "ti", x, factor)


def depth_to_space(x: Operand, factor: int) -> Tensor:
    """The same, but channel number (i r + j) c + k, not (k r + i) r + j, is pixel (i, j) of channel k: TensorFlow's order."""
    return op("tn_depth_to_space", "ti", x, factor)


def space_to_depth(x: Operand, factor: int) -> Tensor:
    """The same, but channel number (i r + j) c + k, not (k r + i) r + j, is pixel (i, j) of channel k: TensorFlow's order."""
    return op("tn_space_to_depth", "ti", x, factor)


def grid_sample(x: Operand, grid: Operand, *, mode: Any = None, outside: Any = None,
        align_corners: Any = None) -> Tensor:
    """x (b, c, sizes...) of one to three dimensions at the places of a grid (b, points..., dimensions), whose numbers are
    from -1 to 1, that of the last dimension first -> (b, c, points...). Jaderberg and others, 2015.

    align_corners: 1 and 1 are the centres of the outer elements, else their edges"""
    return op("tn_grid_sample", "tto", x, grid, (c.tn_grid_options, {"mode": mode, "outside": outside,
                  "align_corners": align_corners}))


def affine_grid(theta: Operand, sizes: Shape, align_corners: bool = False) -> Tensor:
    """The grid of so many points along each dimension, moved by affine maps (b, n, n + 1) -> (b, sizes..., n)."""
    return op("tn_affine_grid", "tsb", theta, sizes, align_corners)


def conv_nd(x: Operand, weight: Operand, *, stride: Any = None, dilation: Any = None, begin: Any = None,
        end: Any = None, more: Any = None, groups: Any = None) -> Tensor:
    """x (b, c, sizes...), weight (k, c / groups, kernel...) -> (b, k, as many whole windows as there are...).

    stride: 0: 1
    dilation: 0: 1
    begin: zeros before x, or places left out at the beginning of what is transposed
    end: the same after it
    more: places added at the end of what is transposed
    groups: 0: 1"""
    return op("tn_conv_nd", "tto", x, weight, (c.tn_conv_nd_options, {"stride": stride, "dilation": dilation,
                  "begin": begin, "end": end, "more": more, "groups": groups}))


def conv_nd_transposed(x: Operand, weight: Operand, *, stride: Any = None, dilation: Any = None, begin: Any = None,
        end: Any = None, more: Any = None, groups: Any = None) -> Tensor:
    """The transposed: x (b, k, sizes...), weight (k, c / groups, kernel...) -> (b, c, ...), each size
    (size - 1) stride + (kernel - 1) dilation + 1 + more - begin - end.

    stride: 0: 1
    dilation: 0: 1
    begin: zeros before x, or places left out at the beginning of what is transposed
    end: the same after it
    more: places added at the end of what is transposed
    groups: 0: 1"""
    return op("tn_conv_nd_transposed", "tto", x, weight, (c.tn_conv_nd_options, {"stride": stride,
                  "dilation": dilation, "begin": begin, "end": end, "more": more, "groups": groups}))


def maxpool_nd(x: Operand, *, window: Any = None, stride: Any = None, dilation: Any = None, begin: Any = None,
        end: Any = None, ceil_mode: Any = None, count_pad: Any = None) -> Tensor:
    """The largest of each window, of u8 too; padding never is, a NaN always.

    window: required for each dimension
    stride: 0: as the window
    dilation: 0: 1
    begin: padding before, smaller than the window's reach
    end: and after
    ceil_mode: as in pool_options, these two"""
    return op("tn_maxpool_nd", "to", x, (c.tn_pool_nd_options, {"window": window, "stride": stride,
                  "dilation": dilation, "begin": begin, "end": end, "ceil_mode": ceil_mode,
                  "count_pad": count_pad}))


def avgpool_nd(x: Operand, *, window: Any = None, stride: Any = None, dilation: Any = None, begin: Any = None,
        end: Any = None, ceil_mode: Any = None, count_pad: Any = None) -> Tensor:
    """The mean of each window; and (sum |x|^p)^(1/p), p > 0, whose gradient is 0 where it is 0.

    window: required for each dimension
    stride: 0: as the window
    dilation: 0: 1
    begin: padding before, smaller than the window's reach
    end: and after
    ceil_mode: as in pool_options, these two"""
    return op("tn_avgpool_nd", "to", x, (c.tn_pool_nd_options, {"window": window, "stride": stride,
                  "dilation": dilation, "begin": begin, "end": end, "ceil_mode": ceil_mode,
                  "count_pad": count_pad}))


def lppool_nd(x: Operand, p: float = 2.0, *, window: Any = None, stride: Any = None, dilation: Any = None,
        begin: Any = None, end: Any = None, ceil_mode: Any = None, count_pad: Any = None) -> Tensor:
    """The mean of each window; and (sum |x|^p)^(1/p), p > 0, whose gradient is 0 where it is 0.

    window: required for each dimension
    stride: 0: as the window
    dilation: 0: 1
    begin: padding before, smaller than the window's reach
    end: and after
    ceil_mode: as in pool_options, these two"""
    return op("tn_lppool_nd", "tfo", x, p, (c.tn_pool_nd_options, {"window": window, "stride": stride,
                  "dilation": dilation, "begin": begin, "end": end, "ceil_mode": ceil_mode,
                  "count_pad": count_pad}))


def max_unpool_nd(values: Operand, places: Operand, shape: Shape) -> Tensor:
    """The inverse: values at their places, as maxpool_nd_places numbers the elements of a tensor of that shape, the rest
    zeros. Of several at one place their mean."""
    return op("tn_max_unpool_nd", "tts", values, places, shape)


def sum(x: Operand, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Sum, product, mean, largest, smallest element over some axes; with `keep` these stay, as 1, else they go. A NaN is
    largest and smallest. Over no elements a sum is 0, a product 1, a mean NaN; the other two fail. Where elements are 0,
    the gradients of a product are right up to the second order."""
    return op("tn_sum", "tab", x, axis, keepdims)


def prod(x: Operand, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Sum, product, mean, largest, smallest element over some axes; with `keep` these stay, as 1, else they go. A NaN is
    largest and smallest. Over no elements a sum is 0, a product 1, a mean NaN; the other two fail. Where elements are 0,
    the gradients of a product are right up to the second order."""
    return op("tn_prod", "tab", x, axis, keepdims)


def mean(x: Operand, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Sum, product, mean, largest, smallest element over some axes; with `keep` these stay, as 1, else they go. A NaN is
    largest and smallest. Over no elements a sum is 0, a product 1, a mean NaN; the other two fail. Where elements are 0,
    the gradients of a product are right up to the second order."""
    return op("tn_mean", "tab", x, axis, keepdims)


def amax(x: Operand, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Sum, product, mean, largest, smallest element over some axes; with `keep` these stay, as 1, else they go. A NaN is
    largest and smallest. Over no elements a sum is 0, a product 1, a mean NaN; the other two fail. Where elements are 0,
    the gradients of a product are right up to the second order."""
    return op("tn_amax", "tab", x, axis, keepdims)


def amin(x: Operand, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Sum, product, mean, largest, smallest element over some axes; with `keep` these stay, as 1, else they go. A NaN is
    largest and smallest. Over no elements a sum is 0, a product 1, a mean NaN; the other two fail. Where elements are 0,
    the gradients of a product are right up to the second order."""
    return op("tn_amin", "tab", x, axis, keepdims)


def any(x: Operand, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """1 if any, or all, elements over some axes are not 0, else 0."""
    return op("tn_any", "tab", x, axis, keepdims)


def all(x: Operand, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """1 if any, or all, elements over some axes are not 0, else 0."""
    return op("tn_all", "tab", x, axis, keepdims)


def variance(x: Operand, axis: Axes = None, correction: int = 0, keepdims: bool = False) -> Tensor:
    """The sum of squared distances from the mean, divided by n - correction: 0 for the variance of what is there, 1 for the
    unbiased estimate; NaN if that is not above 0. And its root, whose gradient is 0 where it is 0."""
    return op("tn_variance", "taib", x, axis, correction, keepdims)


def std(x: Operand, axis: Axes = None, correction: int = 0, keepdims: bool = False) -> Tensor:
    """The sum of squared distances from the mean, divided by n - correction: 0 for the variance of what is there, 1 for the
    unbiased estimate; NaN if that is not above 0. And its root, whose gradient is 0 where it is 0."""
    return op("tn_std", "taib", x, axis, correction, keepdims)


def norm(x: Operand, p: float = 2.0, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """(sum |x|^p)^(1/p); p = INFINITY: the largest |x|, -INFINITY: the smallest, 0: how many are not 0. The gradient is 0
    where the norm is 0."""
    return op("tn_norm", "tfab", x, p, axis, keepdims)


def l2_normalize(x: Operand, axis: Axes = None, epsilon: float = 1e-5) -> Tensor:
    """x / max(its 2-norm, epsilon)."""
    return op("tn_l2_normalize", "taf", x, axis, epsilon)


def argmax(x: Operand, axis: int = -1) -> Tensor:
    """The place, i32, of the first largest or smallest element along an axis, which goes."""
    return op("tn_argmax", "ti", x, axis)


def argmin(x: Operand, axis: int = -1) -> Tensor:
    """The place, i32, of the first largest or smallest element along an axis, which goes."""
    return op("tn_argmin", "ti", x, axis)


def softmax(x: Operand, axis: int = -1) -> Tensor:
    """exp(x) divided by its sum along an axis, and the logarithm of that; neither overflows for any x."""
    return op("tn_softmax", "ti", x, axis)


def log_softmax(x: Operand, axis: int = -1) -> Tensor:
    """exp(x) divided by its sum along an axis, and the logarithm of that; neither overflows for any x."""
    return op("tn_log_softmax", "ti", x, axis)


def logsumexp(x: Operand, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) over some axes, which stay, as 1, with `keep`; it does not overflow for any x. Over no elements it
    is minus infinity."""
    return op("tn_logsumexp", "tab", x, axis, keepdims)


def masked_softmax(x: Operand, mask: Operand, axis: int = -1) -> Tensor:
    """Softmax over the elements whose mask, of any type and broadcast to x, is not 0; the others are 0, and so are all
    where none of those is above minus infinity."""
    return op("tn_masked_softmax", "tti", x, mask, axis)


def normalize(x: Operand, axis: Axes = None, epsilon: float = 1e-5) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) over some axes; and x / sqrt(mean square + epsilon)."""
    return op("tn_normalize", "taf", x, axis, epsilon)


def rms_normalize(x: Operand, axis: Axes = None, epsilon: float = 1e-5) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) over some axes; and x / sqrt(mean square + epsilon)."""
    return op("tn_rms_normalize", "taf", x, axis, epsilon)


def batch_normalize(x: Operand, weight: Operand, bias: Operand, axis: Axes = None, epsilon: float = 1e-5) -> Tensor:
    """normalize(x, axes, epsilon) weight + bias; both have x's shape with 1 for each of the axes."""
    return op("tn_batch_normalize", "tttaf", x, weight, bias, axis, epsilon)


def layer_normalize(x: Operand, weight: Operand, epsilon: float = 1e-5, *, bias: Any = None,
        keep_mean: Any = None) -> Tensor:
    """The same of x's last dimensions, whose shape weight has: normalize(x, them, epsilon) weight + bias. It is one
    operator where the device has it. Ba and others, 2016.

    bias: of weight's shape; None: none
    keep_mean: rms_normalize(x, them, epsilon) weight + bias: Zhang and Sennrich, 2019"""
    return op("tn_layer_normalize", "ttfo", x, weight, epsilon, (c.tn_layer_normalize_options, {"bias": bias,
                  "keep_mean": keep_mean}))


def across(x: Operand) -> Tensor:
    """Where a training cuts its batches into shards (fit.h), a graph has one of them. across is the sum of an f32 or f64
    x over all shards, which is the same for each, and batch_share the part of the batch's samples that are in this
    one, of x's type: across(mul(mean, batch_share(mean))) is the mean over the batch. In graphs of whole
    batches they are x itself, and 1. batch_normalize_across is batch_normalize over the whole batch."""
    return op("tn_across", "t", x)


def batch_share(like: Operand) -> Tensor:
    """Where a training cuts its batches into shards (fit.h), a graph has one of them. across is the sum of an f32 or f64
    x over all shards, which is the same for each, and batch_share the part of the batch's samples that are in this
    one, of x's type: across(mul(mean, batch_share(mean))) is the mean over the batch. In graphs of whole
    batches they are x itself, and 1. batch_normalize_across is batch_normalize over the whole batch."""
    return op("tn_batch_share", "t", like)


def batch_normalize_across(x: Operand, weight: Operand, bias: Operand, axis: Axes = None,
        epsilon: float = 1e-5) -> Tensor:
    """Where a training cuts its batches into shards (fit.h), a graph has one of them. across is the sum of an f32 or f64
    x over all shards, which is the same for each, and batch_share the part of the batch's samples that are in this
    one, of x's type: across(mul(mean, batch_share(mean))) is the mean over the batch. In graphs of whole
    batches they are x itself, and 1. batch_normalize_across is batch_normalize over the whole batch."""
    return op("tn_batch_normalize_across", "tttaf", x, weight, bias, axis, epsilon)


def attention(q: Operand, k: Operand, v: Operand, causal: bool = False) -> Tensor:
    """Scaled dot-product attention, softmax(q k' / sqrt(d)) v: q (..., m, d), k (..., n, d), v (..., n, e) -> (..., m, e).
    With `causal` query i sees the keys 0..i alone. Vaswani and others, 2017."""
    return op("tn_attention", "tttb", q, k, v, causal)


def attend(q: Operand, k: Operand, v: Operand, *, mask: Any = None, bias: Any = None, scale: Any = None,
        cap: Any = None, first: Any = None, reach: Any = None, causal: Any = None) -> Tensor:
    """Attention with more to say: q (..., heads, queries, d), k (..., groups, keys, d), v (..., groups, keys, e) ->
    (..., heads, queries, e). Where there are fewer groups than heads, heads / groups heads in a row share keys and
    values (Ainslie and others, 2023). To go on with what came before, put its keys and values in front of the new ones
    and give their number as `first`. A query that sees no key gets zeros.

    mask: of any type, broadcast to (..., heads, queries, keys): not 0 where a key is seen; None: all
    bias: added to the scores, broadcast likewise; None: none
    scale: of the scores; 0: 1 / sqrt(d)
    cap: scores become cap tanh(score / cap) before a bias is added; 0: they stay
    first: the number of the first query among the keys
    reach: a query sees but so many keys up to its own; 0: all
    causal: none after its own"""
    return op("tn_attend", "ttto", q, k, v, (c.tn_attend_options, {"mask": mask, "bias": bias, "scale": scale,
                  "cap": cap, "first": first, "reach": reach, "causal": causal}))


def rotary(x: Operand, cosine: Operand, sine: Operand, interleaved: int) -> Tensor:
    """Positions by rotation (Su and others, 2021): of the last dimension's first elements, as many as twice the last
    dimension of cosine and sine, element i and the one half of them later, or, `interleaved`, elements 2 i and 2 i + 1,
    are turned by the angle of pair i. Cosine and sine are broadcast with (..., pairs)."""
    return op("tn_rotary", "ttti", x, cosine, sine, interleaved)


def quantize(x: Operand, scale: Operand, zero: Operand, *, axis: Any = None, low: Any = None,
        high: Any = None) -> Tensor:
    """Whole numbers for x: round(x / scale) + zero, of two the even one, kept within low..high, as i32. Scale and zero are
    one number each, or along an axis one for each place or for each of equal blocks of places: (parts), or of x's rank.
    The zero, of any type, may be None: none. No gradient."""
    return op("tn_quantize", "ttto", x, scale, zero, (c.tn_quantize_options, {"axis": axis, "low": low,
                  "high": high}))


def dequantize(x: Operand, scale: Operand, zero: Operand, axis: int = -1) -> Tensor:
    """And back: (x - zero) scale, of the scale's type; x i32 or u8."""
    return op("tn_dequantize", "ttti", x, scale, zero, axis)


def cumsum(x: Operand, axis: int = -1, reverse: bool = False, exclusive: bool = False) -> Tensor:
    """Running sums along an axis; with `reverse` from its end, with `exclusive` without the element itself."""
    return op("tn_cumsum", "tibb", x, axis, reverse, exclusive)


def cumprod(x: Operand, axis: int = -1, reverse: bool = False, exclusive: bool = False) -> Tensor:
    """Running products, likewise."""
    return op("tn_cumprod", "tibb", x, axis, reverse, exclusive)


def local_response_norm(x: Operand, *, before: Any = None, after: Any = None, alpha: Any = None, beta: Any = None,
        k: Any = None) -> Tensor:
    """x / (k + alpha mean)^beta, where the mean is that of the squares of so many channels before, those at the place
    itself and so many after; channels that are not there count as 0. x (batch, channels, ...). Krizhevsky and others,
    2012."""
    return op("tn_local_response_norm", "to", x, (c.tn_response_options, {"before": before, "after": after,
                  "alpha": alpha, "beta": beta, "k": k}))


def reverse_sequence(x: Operand, lengths: Operand, axis: int, batch_axis: int) -> Tensor:
    """The first elements of each sample along an axis in reverse, as many as `lengths`, i32 (batch), says."""
    return op("tn_reverse_sequence", "ttii", x, lengths, axis, batch_axis)


def hann(graph: Graph, count: int, symmetric: int) -> Tensor:
    """Windows of signals, f32 (count): of a period of `count`, or `symmetric`, where the last number is the first."""
    return op("tn_hann", "gii", graph, count, symmetric)


def hamming(graph: Graph, count: int, symmetric: int) -> Tensor:
    """Windows of signals, f32 (count): of a period of `count`, or `symmetric`, where the last number is the first."""
    return op("tn_hamming", "gii", graph, count, symmetric)


def blackman(graph: Graph, count: int, symmetric: int) -> Tensor:
    """Windows of signals, f32 (count): of a period of `count`, or `symmetric`, where the last number is the first."""
    return op("tn_blackman", "gii", graph, count, symmetric)


def sort(x: Operand, axis: int = -1, descending: bool = False) -> Tensor:
    """All of them: smallest first, or largest. Equal ones stay in order. For long lines it is slow: they are inserted."""
    return op("tn_sort", "tib", x, axis, descending)


def argsort(x: Operand, axis: int = -1, descending: bool = False) -> Tensor:
    """All of them: smallest first, or largest. Equal ones stay in order. For long lines it is slow: they are inserted."""
    return op("tn_argsort", "tib", x, axis, descending)


def searchsorted(sorted: Operand, values: Operand, right: bool = False) -> Tensor:
    """Where values belong in sorted lines, i32: how many elements of the line are smaller or, with `right`, not larger. A
    NaN is larger than all. Lines (..., n) and values (..., m), or one line (n) for values of any shape -> the shape of
    the values. What is not sorted gives any places from 0 to n. No gradient."""
    return op("tn_searchsorted", "ttb", sorted, values, right)


def gather(table: Operand, index: Operand) -> Tensor:
    """Rows of a table: (n, ...), i32 (m...) -> (m..., ...). An index outside 0..n-1 gives zeros."""
    return op("tn_gather", "tt", table, index)


def scatter_add(index: Operand, x: Operand, rows: int) -> Tensor:
    """Sums of rows by their numbers: i32 (m...), (m..., ...) -> (rows, ...). An index outside 0..rows-1 is left out."""
    return op("tn_scatter_add", "tti", index, x, rows)


def index_select(x: Operand, axis: int, index: Operand) -> Tensor:
    """The same along any axis, by an index i32 (m): (..., n, ...) -> (..., m, ...)."""
    return op("tn_index_select", "tit", x, axis, index)


def take(x: Operand, index: Operand, axis: int = -1) -> Tensor:
    """Elements along an axis by their places: the index, i32, has x's shape but for the axis, and so has the result. A
    place outside gives 0."""
    return op("tn_take", "tti", x, index, axis)


def put(index: Operand, values: Operand, axis: int, size: int) -> Tensor:
    """The inverse: sums of values by their places along an axis, which gets `size` elements. Index and values have one
    shape; a place outside is left out."""
    return op("tn_put", "ttii", index, values, axis, size)


def scatter(x: Operand, index: Operand, updates: Operand, axis: int, how: int) -> Tensor:
    """x with updates at places along an axis: index, i32, and updates have one shape, which is x's but for the axis. All
    but sums sort the places: for long lines they are slow. A place outside is left out."""
    return op("tn_scatter", "tttii", x, index, updates, axis, how)


def scatter_nd(x: Operand, index: Operand, updates: Operand, how: int) -> Tensor:
    """x with updates (points..., the rest of x's dimensions) where index, i32 (points..., k), says: the place in each of
    the first k dimensions of x."""
    return op("tn_scatter_nd", "ttti", x, index, updates, how)


def gather_nd(x: Operand, index: Operand) -> Tensor:
    """What is at such places: -> (points..., the rest). A place outside gives zeros."""
    return op("tn_gather_nd", "tt", x, index)


def pick(x: Operand, label: Operand) -> Tensor:
    """x[i, label[i]]: (n, classes), i32 (n) -> (n). A label outside the classes gives 0."""
    return op("tn_pick", "tt", x, label)


def one_hot(index: Operand, classes: int) -> Tensor:
    """1 at the index, else 0: i32 (m...) -> f32 (m..., classes)."""
    return op("tn_one_hot", "ti", index, classes)


def dynamic_slice(x: Operand, start: Operand, count: int) -> Tensor:
    """`count` rows of x from row `start` on, which is a scalar input of type i32. No gradient."""
    return op("tn_dynamic_slice", "tti", x, start, count)


window = dynamic_slice  # its name before


def unique(x: Operand, more: int) -> Tensor:
    """The elements of x in order, each once, with room for all: (n). Of each the place of the first in x and how many, i32
    (n); of each of x the place among those, in x's shape; and how many there are."""
    return op("tn_unique", "ti", x, more)


def nms(boxes: Operand, scores: Operand, most: int, *, overlap: Any = None, least_score: Any = None,
        centres: Any = None) -> Tensor:
    """Non-maximum suppression: boxes (batch, n, 4), scores (batch, classes, n) -> i32 (batch, classes, most): the boxes
    with the best scores, best first, of which no two share more than `overlap` of their common area. A step for each of
    them; `most` is 1 to 4096.

    least_score: only what is above it counts
    centres: boxes are centre and size, else two opposite corners"""
    return op("tn_nms", "ttio", boxes, scores, most, (c.tn_nms_options, {"overlap": overlap,
                  "least_score": least_score, "centres": centres}))


class TensorMethods:
    """Functions that begin with a tensor, as its methods."""

    neg = neg
    abs = abs
    sign = sign
    square = square
    sqrt = sqrt
    rsqrt = rsqrt
    reciprocal = reciprocal
    exp = exp
    exp2 = exp2
    expm1 = expm1
    log = log
    log2 = log2
    log10 = log10
    log1p = log1p
    sin = sin
    cos = cos
    tan = tan
    asin = asin
    acos = acos
    atan = atan
    sinh = sinh
    cosh = cosh
    asinh = asinh
    acosh = acosh
    atanh = atanh
    erf = erf
    floor = floor
    ceil = ceil
    trunc = trunc
    round = round
    isnan = isnan
    isinf = isinf
    isfinite = isfinite
    step = step
    relu = relu
    relu6 = relu6
    hard_tanh = hard_tanh
    softsign = softsign
    tanh_shrink = tanh_shrink
    sigmoid = sigmoid
    tanh = tanh
    softplus = softplus
    log_sigmoid = log_sigmoid
    gelu = gelu
    gelu_tanh = gelu_tanh
    silu = silu
    selu = selu
    hard_sigmoid = hard_sigmoid
    hard_swish = hard_swish
    mish = mish
    add = add
    sub = sub
    mul = mul
    div = div
    min = min
    max = max
    pow = pow
    fmod = fmod
    remainder = remainder
    atan2 = atan2
    eq = eq
    ne = ne
    lt = lt
    le = le
    gt = gt
    ge = ge
    logical_and = logical_and
    logical_or = logical_or
    logical_xor = logical_xor
    leaky_relu = leaky_relu
    elu = elu
    where = where
    logistic = logistic
    clamp = clamp
    celu = celu
    hard_shrink = hard_shrink
    soft_shrink = soft_shrink
    threshold = threshold
    glu = glu
    masked_fill = masked_fill
    logical_not = logical_not
    cast = cast
    stop_gradient = stop_gradient
    broadcast_to = broadcast_to
    dropout = dropout
    reshape = reshape
    flatten = flatten
    slice = slice
    flip = flip
    unslice = unslice
    pad = pad
    pad_value = pad_value
    tile = tile
    repeat = repeat
    unsqueeze = unsqueeze
    squeeze = squeeze
    swap_axes = swap_axes
    roll = roll
    pad_edge = pad_edge
    pad_reflect = pad_reflect
    pad_wrap = pad_wrap
    diag = diag
    tril = tril
    triu = triu
    matmul = matmul
    matmul_t = matmul_t
    outer = outer
    det = det
    conv2d = conv2d
    conv2d_transposed = conv2d_transposed
    maxpool2d = maxpool2d
    avgpool2d = avgpool2d
    adaptive_avgpool2d = adaptive_avgpool2d
    global_avgpool2d = global_avgpool2d
    global_maxpool2d = global_maxpool2d
    resize_nearest = resize_nearest
    resize_bilinear = resize_bilinear
    interpolate = interpolate
    resize = resize
    pixel_shuffle = pixel_shuffle
    pixel_unshuffle = pixel_unshuffle
    depth_to_space = depth_to_space
    space_to_depth = space_to_depth
    grid_sample = grid_sample
    affine_grid = affine_grid
    conv_nd = conv_nd
    conv_nd_transposed = conv_nd_transposed
    maxpool_nd = maxpool_nd
    avgpool_nd = avgpool_nd
    lppool_nd = lppool_nd
    max_unpool_nd = max_unpool_nd
    sum = sum
    prod = prod
    mean = mean
    amax = amax
    amin = amin
    any = any
    all = all
    variance = variance
    std = std
    norm = norm
    l2_normalize = l2_normalize
    argmax = argmax
    argmin = argmin
    softmax = softmax
    log_softmax = log_softmax
    logsumexp = logsumexp
    masked_softmax = masked_softmax
    normalize = normalize
    rms_normalize = rms_normalize
    batch_normalize = batch_normalize
    layer_normalize = layer_normalize
    across = across
    batch_share = batch_share
    batch_normalize_across = batch_normalize_across
    attention = attention
    attend = attend
    rotary = rotary
    quantize = quantize
    dequantize = dequantize
    cumsum = cumsum
    cumprod = cumprod
    local_response_norm = local_response_norm
    reverse_sequence = reverse_sequence
    sort = sort
    argsort = argsort
    searchsorted = searchsorted
    gather = gather
    scatter_add = scatter_add
    index_select = index_select
    take = take
    put = put
    scatter = scatter
    scatter_nd = scatter_nd
    gather_nd = gather_nd
    pick = pick
    one_hot = one_hot
    dynamic_slice = dynamic_slice
    unique = unique
    nms = nms
    window = window


class GraphMethods:
    """Functions that begin with a graph, as its methods."""

    iota = iota
    arange = arange
    linspace = linspace
    eye = eye
    random_uniform = random_uniform
    random_normal = random_normal
    hann = hann
    hamming = hamming
    blackman = blackman
