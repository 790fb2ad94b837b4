/* problems.c: what the last build could not do: each kind of thing once, with how often and where first. */
#include <string.h>

#include "rule.h"

static int equal(const char *a, const char *b)
{
    return (!a && !b) || (a && b && !strcmp(a, b));
}

static const char *name_of(const onnx_node_proto *node)
{
    if (node->name && *node->name) return node->name;
    for (size_t i = 0; i < node->n_output; i++)
        if (*node->output[i]) return node->output[i];
    return "";
}

void onnx_problem(tn_onnx *model, const onnx_node_proto *node, const char *why, const char *input)
{
    const char *domain = onnx_domain(node->domain);
    for (uint32_t i = 0; i < model->n_problem; i++) {
        tn_onnx_problem *p = &model->problem[i];
        if (!equal(p->op, node->op_type) || !equal(p->domain, domain) || !equal(p->why, why)) continue;
        p->count++;
        return;
    }
    char *kept = tn_region_print(&model->problems, "%s", why);
    if (!kept || tn_grow(&model->problem, &model->problem_capacity, model->n_problem + 1, sizeof *model->problem))
        return;
    model->problem[model->n_problem++] =
        (tn_onnx_problem){node->op_type, domain, onnx_opset(model, domain), kept, name_of(node), input, 1};
}

void onnx_problems_clear(tn_onnx *model)
{
    tn_region_free(&model->problems);
    model->problems = (tn_region){0};
    model->n_problem = 0;
}

int tn_onnx_problem_at(const tn_onnx *model, size_t index, tn_onnx_problem *problem)
{
    if (!model || !problem || index >= model->n_problem) return 0;
    *problem = model->problem[index];
    return 1;
}
