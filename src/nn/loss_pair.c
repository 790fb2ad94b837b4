/* loss_pair.c: losses that compare tensors with each other rather than outputs with targets. */
#include "loss_each.h"
#include "given.h"

/* All of one shape, of at least `rank` dimensions. */
static int alike(const char *loss, tn_tensor *const x[], int count, int32_t rank)
{
    tn_shape first = tn_shape_of(x[0]);
    char a[160], b[160];
    if (tn_graph_status(tn_graph_of(x[0]))) return 0;
    for (int i = 0; i < count; i++) {
        tn_shape s = tn_shape_of(x[i]);
        if (s.rank >= rank && tn_shape_equal(&first, &s)) continue;
        tn_graph_fail(tn_graph_of(x[0]), TN_ESHAPE, "%s: shapes %s and %s; they should be the same, of rank %d or more",
                      loss, tn_shape_text(&first, a, sizeof a), tn_shape_text(&s, b, sizeof b), rank);
        return 0;
    }
    return 1;
}

/* One number for each row, such as 1 or -1. */
static int is_of_rows(const char *loss, tn_tensor *x, tn_tensor *each)
{
    tn_shape s = tn_shape_of(x), e = tn_shape_of(each);
    char text[160];
    s.rank--;
    s.dim[s.rank] = 0;
    if (tn_shape_equal(&s, &e)) return 1;
    tn_graph_fail(tn_graph_of(x), TN_ESHAPE, "%s: %s is not one number for each row", loss,
                  tn_shape_text(&e, text, sizeof text));
    return 0;
}

/* Length of a - b + 1e-6, so that there is a gradient where they are equal; over the last dimension. */
static tn_tensor *distance(tn_tensor *a, tn_tensor *b)
{
    tn_tensor *apart = tn_add(tn_sub(a, b), tn_number(a, 1e-6));
    return tn_sqrt(tn_sum(tn_square(apart), TN_AXES(-1), 0));
}

static tn_tensor *mean_above_0(tn_tensor *x)
{
    return tn_mean(tn_relu(x), TN_ALL, 0);
}

tn_tensor *tn_triplet_margin(tn_tensor *anchor, tn_tensor *positive, tn_tensor *negative, double margin)
{
    TN_OPERANDS(anchor, positive, negative);
    if (!alike("triplet_margin", (tn_tensor *[]){anchor, positive, negative}, 3, 1)) return anchor;
    tn_tensor *lack = tn_sub(distance(anchor, positive), distance(anchor, negative));
    return mean_above_0(tn_add(lack, tn_number(lack, margin)));
}

tn_tensor *tn_contrastive(tn_tensor *a, tn_tensor *b, tn_tensor *same, double margin)
{
    TN_OPERANDS(a, b, same);
    if (!alike("contrastive", (tn_tensor *[]){a, b}, 2, 1) || !is_of_rows("contrastive", a, same)) return a;
    tn_tensor *d = distance(a, b), *lack = tn_relu(tn_sub(tn_number(d, margin), d)), *half = tn_number(d, 0.5);
    tn_tensor *each = tn_where(tn_gt(same, tn_number(same, 0)), tn_square(d), tn_square(lack));
    return tn_mean(tn_mul(each, half), TN_ALL, 0);
}

tn_tensor *tn_margin_ranking(tn_tensor *a, tn_tensor *b, tn_tensor *order, double margin)
{
    TN_OPERANDS(a, b, order);
    if (!alike("margin_ranking", (tn_tensor *[]){a, b, order}, 3, 0)) return a;
    return mean_above_0(tn_sub(tn_number(a, margin), tn_mul(order, tn_sub(a, b))));
}

tn_tensor *tn_cosine_embedding(tn_tensor *a, tn_tensor *b, tn_tensor *same, double margin)
{
    TN_OPERANDS(a, b, same);
    if (!alike("cosine_embedding", (tn_tensor *[]){a, b}, 2, 1) || !is_of_rows("cosine_embedding", a, same)) return a;
    tn_tensor *apart = tn_cosine_distance(a, b);
    tn_tensor *close = tn_relu(tn_sub(tn_number(apart, 1 - margin), apart));
    return tn_mean(tn_where(tn_gt(same, tn_number(same, 0)), apart, close), TN_ALL, 0);
}

tn_tensor *tn_gaussian_likelihood(tn_tensor *mean, tn_tensor *variance, tn_tensor *target)
{
    TN_OPERANDS(mean, variance, target);
    if (!alike("gaussian_likelihood", (tn_tensor *[]){mean, variance, target}, 3, 0)) return mean;
    variance = tn_max(variance, tn_number(variance, 1e-6));
    tn_tensor *each = tn_add(tn_log(variance), tn_div(tn_square(tn_sub(mean, target)), variance));
    return tn_mul(tn_mean(each, TN_ALL, 0), tn_number(each, 0.5));
}
