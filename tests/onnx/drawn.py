"""drawn.py: the operators that draw.py draws, each with the function that draws it."""

import random

import layers
import operators
import shapes
from case import Case

TABLE = {
    operators.unary: "Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Erf Exp Floor HardSwish Identity Log Mish Neg "
    "Not Reciprocal Relu Round Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Tan Tanh",
    operators.parametric: "Celu Elu Gelu HardSigmoid LeakyRelu Selu Shrink ThresholdedRelu",
    operators.binary: "Add And BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual Mul Or "
    "Sub Xor",
    operators.shifts: "BitShift",
    operators.power: "Pow",
    operators.modulo: "Mod",
    operators.several: "Max Mean Min Sum",
    operators.where: "Where",
    operators.clip: "Clip",
    operators.prelu: "PRelu",
    operators.cast: "Cast",
    operators.infinite: "IsInf IsNaN",
    operators.reduction: "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd "
    "ReduceSum ReduceSumSquare",
    operators.along_axis: "ArgMax ArgMin Hardmax LogSoftmax LpNormalization Softmax",
    operators.running: "CumSum",
    operators.batch_norm: "BatchNormalization",
    operators.channel_norm: "GroupNormalization InstanceNormalization",
    operators.last_norm: "LayerNormalization RMSNormalization",
    operators.response_norm: "LRN",
    operators.mean_variance: "MeanVarianceNormalization",
    operators.product: "MatMul",
    operators.gemm: "Gemm",
    operators.einsum: "Einsum",
    shapes.reshape: "Reshape",
    shapes.flatten: "Flatten",
    shapes.squeeze: "Squeeze",
    shapes.unsqueeze: "Unsqueeze",
    shapes.transpose: "Transpose",
    shapes.concat: "Concat",
    shapes.split: "Split",
    shapes.cut: "Slice",
    shapes.pad: "Pad",
    shapes.tile: "Tile",
    shapes.expand: "Expand",
    shapes.blocks: "DepthToSpace SpaceToDepth",
    shapes.triangle: "Trilu",
    shapes.reversed_parts: "ReverseSequence",
    shapes.crop: "CenterCropPad",
    shapes.filled: "ConstantOfShape",
    shapes.counted: "Range",
    shapes.eye: "EyeLike",
    shapes.shape_of: "Shape Size",
    shapes.gather: "Gather",
    shapes.gather_elements: "GatherElements",
    shapes.gather_nd: "GatherND",
    shapes.scatter_elements: "ScatterElements",
    shapes.scatter_nd: "ScatterND",
    shapes.one_hot: "OneHot",
    shapes.top: "TopK",
    shapes.chosen: "Compress NonZero Unique",
    shapes.suppression: "NonMaxSuppression",
    layers.convolution: "Conv",
    layers.transposed: "ConvTranspose",
    layers.pool: "AveragePool LpPool MaxPool",
    layers.whole_picture: "GlobalAveragePool GlobalLpPool GlobalMaxPool",
    layers.resize: "Resize",
    layers.upsample: "Upsample",
    layers.grid: "GridSample",
    layers.affine_grid: "AffineGrid",
    layers.regions: "MaxRoiPool RoiAlign",
    layers.columns: "Col2Im",
    layers.recurrent: "GRU LSTM RNN",
    layers.attention: "Attention",
    layers.rotary: "RotaryEmbedding",
    layers.quantise: "DequantizeLinear QuantizeLinear",
    layers.dynamic: "DynamicQuantizeLinear",
    layers.product_of_bytes: "MatMulInteger QLinearMatMul",
    layers.convolution_of_bytes: "ConvInteger QLinearConv",
    layers.transform: "DFT",
    layers.short_transform: "STFT",
    layers.signal_window: "BlackmanWindow HammingWindow HannWindow",
    layers.mel: "MelWeightMatrix",
    layers.loss: "NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss",
}
DRAWN = {operator: draw for draw, names in TABLE.items() for operator in names.split()}
# Layers have more to be drawn than functions of a number.
WEIGHT = {
    draw: 1 if draw in (operators.unary, operators.parametric, shapes.shape_of, layers.signal_window, layers.mel) else 3
    for draw in TABLE
}


def draw(numpy, onnx, seed, first, last, only=None):
    r = random.Random(seed)
    names = only.split(",") if only else list(DRAWN)
    for _ in range(100):
        operator = r.choices(names, [WEIGHT[DRAWN[name]] for name in names])[0]
        opset = r.randint(first, last)
        try:
            schema = onnx.defs.get_schema(operator, max_inclusive_version=opset)
        except Exception:
            continue
        if not schema.deprecated:
            return DRAWN[operator](Case(numpy, onnx, seed, operator, opset))
    raise ValueError("there is no opset that has " + str(only))
