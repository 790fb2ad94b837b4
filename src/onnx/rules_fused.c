/* rules_fused.c: operators of the domain com.microsoft that ONNX Runtime's optimiser makes of several of ONNX's own:
 * a product or convolution with what follows it, sums that are normalised, activations with a bias. Their form is said
 * in ONNX Runtime's ContribOperators.md. */
#include "rule.h"

static tn_tensor *plus(tn_tensor *x, tn_tensor *more)
{
    return x && more ? tn_add(x, more) : x;
}

/* ---- activations ---- */

void onnx_rule_bias_gelu(onnx_node *n)
{
    tn_tensor *x = plus(onnx_in(n, 0), onnx_in(n, 1));
    if (x) onnx_out(n, 0, tn_gelu(x));
}

void onnx_rule_fast_gelu(onnx_node *n)
{
    tn_tensor *x = plus(onnx_in(n, 0), onnx_in(n, 1));
    if (x) onnx_out(n, 0, tn_gelu_tanh(x));
}

void onnx_rule_quick_gelu(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (x) onnx_out(n, 0, tn_mul(x, tn_sigmoid(tn_mul(x, tn_number(x, onnx_float(n, "alpha", (double)1.702f))))));
}

/* ---- a product or convolution, and what follows it ---- */

/* Of an activation: what it takes besides x, and without an attribute. */
typedef struct numbers {
    double alpha, beta;
} numbers;

static tn_tensor *relu(tn_tensor *x, numbers at)
{
    (void)at;
    return tn_relu(x);
}

static tn_tensor *sigmoid(tn_tensor *x, numbers at)
{
    (void)at;
    return tn_sigmoid(x);
}

static tn_tensor *hyperbolic(tn_tensor *x, numbers at)
{
    (void)at;
    return tn_tanh(x);
}

static tn_tensor *softplus(tn_tensor *x, numbers at)
{
    (void)at;
    return tn_softplus(x);
}

static tn_tensor *softsign(tn_tensor *x, numbers at)
{
    (void)at;
    return tn_softsign(x);
}

static tn_tensor *leaky(tn_tensor *x, numbers at)
{
    return tn_leaky_relu(x, tn_number(x, at.alpha));
}

static tn_tensor *elu(tn_tensor *x, numbers at)
{
    return tn_elu(x, tn_number(x, at.alpha));
}

static tn_tensor *hard_sigmoid(tn_tensor *x, numbers at)
{
    return tn_clamp(tn_add(tn_mul(x, tn_number(x, at.alpha)), tn_number(x, at.beta)), 0, 1);
}

static tn_tensor *within(tn_tensor *x, numbers at)
{
    return tn_clamp(x, at.alpha, at.beta);
}

static const struct {
    const char *name;
    tn_tensor *(*function)(tn_tensor *x, numbers at);
    numbers otherwise;
} activations[] = {{"Relu", relu, {0}},
                   {"Sigmoid", sigmoid, {0}},
                   {"Tanh", hyperbolic, {0}},
                   {"Softplus", softplus, {0}},
                   {"Softsign", softsign, {0}},
                   {"LeakyRelu", leaky, {(double)0.01f, 0}},
                   {"Elu", elu, {1, 0}},
                   {"HardSigmoid", hard_sigmoid, {(double)0.2f, 0.5}},
                   {"Clip", within, {-3.4028234663852886e38, 3.4028234663852886e38}}};

/* A convolution has them in a list, a product one by one. */
static numbers numbers_of(const onnx_node *n, numbers otherwise)
{
    double listed[2] = {otherwise.alpha, otherwise.beta};
    onnx_floats(n, "activation_params", listed, 2);
    onnx_heeded(n, "activation_gamma");
    return (numbers){onnx_float(n, "activation_alpha", listed[0]), onnx_float(n, "activation_beta", listed[1])};
}

static tn_tensor *activated(onnx_node *n, tn_tensor *x)
{
    if (!onnx_attr(n, "activation")) return x;
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++)
        if (onnx_text_is(n, "activation", "", activations[i].name))
            return activations[i].function(x, numbers_of(n, activations[i].otherwise));
    onnx_cannot(n, "attribute activation");
    return NULL;
}

/* What result 0 is so far, with something added and then an activation. */
static void follow(onnx_node *n, tn_tensor *more)
{
    if (!n->failed && n->out[0].x) onnx_out(n, 0, activated(n, plus(n->out[0].x, more)));
}

void onnx_rule_fused_conv(onnx_node *n)
{
    onnx_rule_conv(n);
    follow(n, onnx_in(n, 3));
}

void onnx_rule_fused_gemm(onnx_node *n)
{
    onnx_rule_gemm(n);
    follow(n, NULL);
}

/* (m, batch..., k) -> (batch..., m, k). */
static tn_tensor *rows_inward(tn_tensor *x)
{
    int32_t order[TN_MAX_RANK];
    const int32_t rank = tn_shape_of(x).rank;
    for (int32_t d = 0; d < rank; d++) order[d] = d == rank - 1 ? d : d == rank - 2 ? 0 : d + 1;
    return tn_transpose(x, order);
}

void onnx_rule_fused_matmul(onnx_node *n)
{
    tn_tensor *a = onnx_in(n, 0), *b = onnx_in(n, 1);
    const double alpha = onnx_float(n, "alpha", 1);
    if (!a || !b) return;
    if (onnx_int(n, "transBatchA", 0) && tn_shape_of(a).rank > 2) a = rows_inward(a);
    if (onnx_int(n, "transBatchB", 0) && tn_shape_of(b).rank > 2) b = rows_inward(b);
    const int turns_a = onnx_int(n, "transA", 0) && tn_shape_of(a).rank > 1;
    const int turns_b = onnx_int(n, "transB", 0) && tn_shape_of(b).rank > 1;
    tn_tensor *y = tn_matmul_t(a, b, turns_a, turns_b);
    onnx_out(n, 0, alpha == 1 ? y : tn_mul(y, tn_number(y, alpha)));
}

/* ---- sums that are normalised ---- */

static tn_axes last_of(const tn_tensor *x)
{
    return TN_AXES(tn_shape_of(x).rank - 1);
}

/* x, what was skipped and a bias; also a result. */
static tn_tensor *sum_of(onnx_node *n, uint32_t bias)
{
    tn_tensor *x = onnx_in(n, 0), *skip = onnx_in(n, 1);
    if (!x || !skip) return NULL;
    x = plus(tn_add(x, skip), onnx_in(n, bias));
    onnx_out(n, 3, x);
    return x;
}

void onnx_rule_skip_layer_normalization(onnx_node *n)
{
    tn_tensor *x = sum_of(n, 4), *scale = onnx_in(n, 2);
    const double epsilon = onnx_decimal(n, "epsilon", 1e-12);
    if (!x || !scale) return;
    onnx_out(n, 0, onnx_norm(x, tn_shape_of(x).rank - 1, scale, onnx_in(n, 3), epsilon, 0));
    onnx_out_as(n, 1, tn_mean(x, last_of(x), 1), ONNX_FLOAT);
    tn_tensor *variance = tn_variance(x, last_of(x), 0, 1);
    onnx_out_as(n, 2, tn_rsqrt(tn_add(variance, tn_number(variance, epsilon))), ONNX_FLOAT);
}

void onnx_rule_skip_rms_normalization(onnx_node *n)
{
    tn_tensor *x = sum_of(n, 3), *scale = onnx_in(n, 2);
    if (!x || !scale) return;
    onnx_out(n, 0, onnx_norm(x, tn_shape_of(x).rank - 1, scale, NULL, onnx_decimal(n, "epsilon", 1e-12), 1));
}

/* Rows of the tables of words, places and segments; the mask of words becomes how many there are of each text. */
void onnx_rule_embed(onnx_node *n)
{
    tn_tensor *word = onnx_in(n, 0), *segment = onnx_in(n, 1), *words = onnx_in(n, 2), *places = onnx_in(n, 3);
    tn_tensor *segments = onnx_in(n, 4), *scale = onnx_in(n, 5), *bias = onnx_in(n, 6), *mask = onnx_in(n, 7);
    tn_tensor *place = onnx_in(n, 8);
    const int64_t form = onnx_int(n, "mask_index_type", 0);
    if (!word || !words || !places || !scale) return;
    if (form && onnx_wants(n, 1)) onnx_cannot(n, "attribute mask_index_type");
    if (!place) place = tn_iota(n->graph, TN_SHAPE(onnx_dim(word, 1)), 0);
    tn_tensor *x = tn_add(tn_gather(words, word), tn_gather(places, place));
    if (segment && segments) x = tn_add(x, tn_gather(segments, segment));
    tn_tensor *y = onnx_norm(x, tn_shape_of(x).rank - 1, scale, bias, onnx_decimal(n, "epsilon", 1e-12), 0);
    onnx_out_as(n, 0, y, onnx_type(n, 2));
    mask = mask ? tn_sum(mask, TN_AXES(1), 0) : tn_full(n->graph, TN_I32, TN_SHAPE(onnx_dim(word, 0)), 0);
    onnx_out_as(n, 1, mask, ONNX_INT32);
    onnx_out_as(n, 2, x, onnx_type(n, 2));
}
