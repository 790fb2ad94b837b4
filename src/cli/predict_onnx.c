/* predict_onnx.c: `tenon predict --model FILE.onnx`: what a network that comes as ONNX makes of arrays and pictures. */
#include "data.h"
#include "json.h"
#include "npz.h"
#include "onnx.h"
#include "options.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const char doc[] =
    "Says what a network in an ONNX file makes of its inputs: files .npy, or NAME=FILE where it has several; an "
    "archive .npz or a file .safetensors has all of them by their names. A table (CSV and its kin) becomes an input "
    "(rows, columns) of numbers, a picture (PNG or JPEG) one (1, channels, height, width) of numbers from 0 to 1, or "
    "of levels to 255 where it takes bytes.";

typedef struct predictor {
    cli_onnx onnx;
    const char *path, *out, *device, *shapes, *header;
    int strict, explain, json;
    tn_program *program;
} predictor;

enum { SHOWN = 8 }; /* numbers of an output */

/* ---- inputs ---- */

static double number_at(const tn_array *a, int64_t i)
{
    return a->dtype == TN_F32   ? (double)((const float *)a->data)[i]
           : a->dtype == TN_F64 ? ((const double *)a->data)[i]
           : a->dtype == TN_I32 ? ((const int32_t *)a->data)[i]
                                : ((const uint8_t *)a->data)[i];
}

/* Of bytes and their kin, that all numbers are such. */
static int check_range(const tn_array *a, const tn_onnx_port *port, const char *path)
{
    double least, most;
    if (port->dtype != TN_I32 || !cli_onnx_range(port, &least, &most)) return CLI_GO_ON;
    for (int64_t i = 0; i < tn_shape_count(&a->shape); i++) {
        const double x = number_at(a, i);
        if (x < least || x > most)
            return cli_fail("%s: input '%s' takes %s, from %.0f to %.0f, and number %" PRId64 " is %.0f", path,
                            port->name, port->element, least, most, i, x);
    }
    return CLI_GO_ON;
}

/* The numbers as the input has them. */
static void *converted(const tn_array *a, const tn_onnx_port *port)
{
    const int32_t dtype = port->dtype;
    const int64_t count = tn_shape_count(&a->shape);
    void *data = calloc((size_t)count + 1, sizeof(double));
    for (int64_t i = 0; data && i < count; i++) {
        const double x = number_at(a, i);
        if (dtype == TN_I32)
            ((int32_t *)data)[i] = (int32_t)x;
        else if (dtype == TN_F64)
            ((double *)data)[i] = x;
        else
            ((float *)data)[i] = (float)cli_onnx_rounded(port->element, x);
    }
    return data;
}

static int take_array(predictor *p, size_t i, const tn_onnx_port *port, const char *path, const char *member)
{
    tn_array array = {0};
    if (tn_array_read(path, member, &array)) return cli_failed();
    const int is_whole = array.dtype == TN_I32 || array.dtype == TN_U8;
    int status = CLI_GO_ON;
    if (port->dtype == TN_I32 && !is_whole)
        status = cli_fail("%s: input '%s' takes %s, and these are %s", path, port->name, port->element,
                          tn_dtype_name(array.dtype));
    if (status == CLI_GO_ON) status = check_range(&array, port, path);
    p->onnx.given[i].shape = cli_onnx_channel(port, array.shape);
    if (status == CLI_GO_ON) p->onnx.data[i] = converted(&array, port);
    if (status == CLI_GO_ON && !p->onnx.data[i]) status = cli_fail("out of memory");
    tn_array_free(&array);
    return status;
}

/* A table's numbers, f32, as the input has them. */
static int take_numbers(predictor *p, size_t i, const tn_onnx_port *port, const tn_dataset *data)
{
    const tn_array rows = {TN_F32, TN_SHAPE(data->count, tn_shape_count(&data->sample)), data->x};
    for (int64_t k = 0; port->dtype == TN_I32 && k < tn_shape_count(&rows.shape); k++) {
        const double x = number_at(&rows, k);
        if (x != trunc(x) || fabs(x) > 1 << 24)
            return cli_fail("%s: input '%s' takes whole numbers, %s, and row %" PRId64 " has %g", data->source,
                            port->name, port->element, k / rows.shape.dim[1] + 1, x);
    }
    int status = check_range(&rows, port, data->source);
    if (status != CLI_GO_ON) return status;
    p->onnx.given[i].shape = rows.shape;
    p->onnx.data[i] = converted(&rows, port);
    return p->onnx.data[i] ? CLI_GO_ON : cli_fail("out of memory");
}

/* One column more would be taken for what is to be predicted, and not be read. */
static int is_wider(const char *path, tn_csv_options csv)
{
    tn_dataset data = {0};
    csv.features++;
    const int wider = !tn_dataset_csv(path, &csv, &data);
    tn_dataset_free(&data);
    return wider;
}

static int take_table(predictor *p, size_t i, const tn_onnx_port *port, const char *path)
{
    tn_dataset data = {0};
    const tn_csv_options csv = {.features = port->rank == 2 ? port->dim[1] : 0,
                                .keep_missing = 1,
                                .header = (uint32_t)cli_header_kind(p->header)};
    if (csv.features < 1)
        return cli_fail("%s: input '%s' takes no table: it is no (rows, columns) of as many columns as the file says",
                        path, port->name);
    if (is_wider(path, csv))
        return cli_fail("%s has more than the %" PRId64 " columns that input '%s' takes", path, csv.features,
                        port->name);
    int status = tn_dataset_csv(path, &csv, &data) ? cli_failed() : CLI_GO_ON;
    if (status == CLI_GO_ON) status = take_numbers(p, i, port, &data);
    tn_dataset_free(&data);
    return status;
}

/* Levels as the input has them: bytes from 0 to 255, others from 0 to 1. */
static void *as_levels(const uint8_t *level, int64_t count, const tn_onnx_port *port)
{
    int32_t *whole = malloc((size_t)count * sizeof *whole);
    float *x = (float *)whole;
    for (int64_t k = 0; whole && k < count; k++)
        if (port->dtype == TN_I32)
            whole[k] = level[k];
        else
            x[k] = (float)cli_onnx_rounded(port->element, (float)level[k] / 255);
    return whole;
}

/* What the input takes of a batch of pictures, grey ones also without their channel; of other inputs nothing. */
static tn_shape picture_of(const tn_onnx_port *port)
{
    const int64_t *dim = port->dim;
    if (port->rank == 4) return TN_SHAPE(dim[1], dim[2], dim[3]);
    return port->rank == 3 && dim[0] < 0 ? TN_SHAPE(1, dim[1], dim[2]) : TN_SHAPE(0, 0, 0);
}

/* Scaled until it covers the input's size. */
static int take_picture(predictor *p, size_t i, const tn_onnx_port *port, const char *path)
{
    const tn_shape sample = picture_of(port);
    const int64_t *dim = sample.dim;
    if ((dim[0] != 1 && dim[0] != 3) || dim[1] < 1 || dim[2] < 1 ||
        (port->dtype != TN_F32 && strcmp(port->element, "uint8") != 0))
        return cli_fail(
            "%s: input '%s' takes no picture: it is no (1, channels, height, width) of a size that the file "
            "says, with 1 or 3 channels",
            path, port->name);
    const int64_t count = tn_shape_count(&sample);
    uint8_t *level = malloc((size_t)count);
    int status = !level ? cli_fail("out of memory") : tn_image_read(path, &sample, level) ? cli_failed() : CLI_GO_ON;
    if (status == CLI_GO_ON) p->onnx.data[i] = as_levels(level, count, port);
    if (status == CLI_GO_ON && !p->onnx.data[i]) status = cli_fail("out of memory");
    free(level);
    p->onnx.given[i].shape = cli_onnx_channel(port, TN_SHAPE(1, dim[0], dim[1], dim[2]));
    return status;
}

static int has_ending(const char *path, const char *ending)
{
    const char *dot = strrchr(path, '.');
    return dot && !strcasecmp(dot, ending);
}

/* The names of those that have a default, between quotes. */
static const char *names_of_defaults(const predictor *p, char *names, size_t capacity)
{
    tn_onnx_port port;
    size_t used = 0;
    *names = 0;
    for (size_t k = 0; used < capacity && tn_onnx_default_at(p->onnx.model, k, &port); k++)
        used += (size_t)snprintf(names + used, capacity - used, "%s'%s'", k ? ", " : "", port.name);
    return names;
}

/* More files than inputs: those that have a default are given by their names. */
static int no_more_inputs(const predictor *p)
{
    char names[300];
    const char *many = p->onnx.inputs == 1 ? "" : "s";
    if (!*names_of_defaults(p, names, sizeof names))
        return cli_usage("%s has %zu input%s", p->path, p->onnx.inputs, many);
    return cli_usage("%s has %zu input%s; those that have a default are given as NAME=FILE: %s", p->path,
                     p->onnx.inputs, many, names);
}

static int take_file(predictor *p, size_t i, const char *path, const char *member)
{
    static const char *const pictures[] = {".png", ".jpg", ".jpeg"};
    tn_onnx_port port;
    if (!cli_onnx_input(&p->onnx, i, &port)) return no_more_inputs(p);
    if (p->onnx.data[i]) return cli_usage("input '%s' is given twice", port.name);
    for (size_t k = 0; k < sizeof pictures / sizeof *pictures; k++)
        if (has_ending(path, pictures[k])) return take_picture(p, i, &port, path);
    if (cli_names_table(path)) return take_table(p, i, &port, path);
    return take_array(p, i, &port, path, member);
}

/* All inputs from one file, by their names. */
static int take_all(predictor *p, const char *path)
{
    int status = CLI_GO_ON;
    for (size_t i = 0; i < p->onnx.inputs && status == CLI_GO_ON; i++)
        status = take_file(p, i, path, p->onnx.inputs > 1 ? p->onnx.given[i].name : NULL);
    return status;
}

static int is_file(const char *path)
{
    struct stat info;
    return !stat(path, &info);
}

static int no_such_input(const predictor *p, const char *name, size_t length)
{
    char names[300] = "", more[300];
    size_t used = 0;
    names_of_defaults(p, more, sizeof more);
    for (size_t i = 0; i < p->onnx.inputs && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s'%s'", i ? ", " : "", p->onnx.given[i].name);
    return cli_usage("%s has no input '%.*s'; it has %s%s%s", p->path, (int)length, name, names,
                     *more ? ", and with a default " : "", more);
}

/* "NAME=FILE", or a file for the next input that has none. */
static int take(predictor *p, const char *word, size_t next)
{
    const char *is = strchr(word, '=');
    for (size_t i = 0; is && i < p->onnx.inputs; i++)
        if (strlen(p->onnx.given[i].name) == (size_t)(is - word) &&
            !strncmp(p->onnx.given[i].name, word, (size_t)(is - word)))
            return take_file(p, i, is + 1, NULL);
    if (is && is_file(is + 1) && cli_onnx_add_default(&p->onnx, word, (size_t)(is - word)))
        return take_file(p, p->onnx.inputs - 1, is + 1, NULL);
    if (is && !is_file(word) && is_file(is + 1)) return no_such_input(p, word, (size_t)(is - word));
    int has_many = has_ending(word, ".npz") || has_ending(word, ".safetensors");
    return has_many ? take_all(p, word) : take_file(p, next, word, NULL);
}

static int take_inputs(predictor *p, char **words, int count)
{
    int status = CLI_GO_ON;
    for (int i = 0; i < count && status == CLI_GO_ON; i++) status = take(p, words[i], (size_t)i);
    for (size_t i = 0; i < p->onnx.inputs && status == CLI_GO_ON; i++)
        if (!p->onnx.data[i]) status = cli_usage("input '%s' is missing", p->onnx.given[i].name);
    return status;
}

/* ---- outputs ---- */

static void print_output(const tn_port *port, const tn_array *y)
{
    char shape[160];
    const int64_t count = tn_shape_count(&y->shape);
    printf("%s %s %s:", cli_shown(port->name), tn_dtype_name(y->dtype), tn_shape_text(&y->shape, shape, sizeof shape));
    for (int64_t i = 0; i < count && i < SHOWN; i++)
        printf(y->dtype == TN_I32 ? " %.0f" : " %.6g", cli_unsigned_nan(number_at(y, i)));
    printf("%s\n", count > SHOWN ? " ..." : "");
}

/* All of its numbers, one after another. */
static void tell_json(const tn_port *port, const tn_array *y)
{
    cli_json json = {0};
    cli_json_begin(&json, NULL, '{');
    cli_json_text(&json, "output", port->name);
    cli_json_text(&json, "type", tn_dtype_name(y->dtype));
    cli_json_begin(&json, "shape", '[');
    for (int32_t d = 0; d < y->shape.rank; d++) cli_json_whole(&json, NULL, y->shape.dim[d]);
    cli_json_end(&json, ']');
    cli_json_begin(&json, "values", '[');
    for (int64_t i = 0; i < tn_shape_count(&y->shape); i++)
        if (y->dtype == TN_I32)
            cli_json_whole(&json, NULL, (int64_t)number_at(y, i));
        else
            cli_json_number(&json, NULL, number_at(y, i));
    cli_json_end(&json, ']');
    cli_json_end(&json, '}');
}

/* y.npy; of several outputs, y.NAME.npy. */
static int write_output(const predictor *p, const tn_port *port, const tn_array *y, int is_one)
{
    char path[4096];
    const char *dot = strrchr(p->out, '.');
    int stem = (int)(dot - p->out);
    int length = is_one ? snprintf(path, sizeof path, "%s", p->out)
                        : snprintf(path, sizeof path, "%.*s.%s%s", stem, p->out, port->name, dot);
    if (length >= (int)sizeof path) return cli_fail("--out '%s' is too long", p->out);
    for (char *c = path + stem; !is_one && *c; c++)
        if (*c == '/') *c = '_';
    return tn_array_write(path, y->dtype, y->shape, y->data) ? cli_failed() : CLI_GO_ON;
}

/* To --out: a file each, or all in one archive. */
static int keep_output(const predictor *p, cli_npz *npz, const tn_port *port, const tn_array *y, int is_one)
{
    if (!p->out) return CLI_GO_ON;
    return npz->file ? cli_npz_add(npz, port->name, y) : write_output(p, port, y, is_one);
}

static int tell_outputs(const predictor *p, cli_npz *npz)
{
    tn_port port, more;
    int status = CLI_GO_ON, is_one = !tn_program_output_at(p->program, 1, &more);
    for (size_t i = 0; status == CLI_GO_ON && tn_program_output_at(p->program, i, &port); i++) {
        const uint64_t bytes = (uint64_t)tn_shape_count(&port.shape) * (port.dtype == TN_F64 ? 8 : 4);
        tn_array y = {.dtype = port.dtype, .shape = port.shape, .data = malloc(bytes + 1)};
        if (!y.data) return cli_fail("out of memory");
        if (tn_fetch(p->program, port.name, y.data, bytes)) status = cli_failed();
        if (status == CLI_GO_ON) (p->json ? tell_json : print_output)(&port, &y);
        if (status == CLI_GO_ON) status = keep_output(p, npz, &port, &y, is_one);
        free(y.data);
    }
    return status;
}

static int tell(const predictor *p)
{
    cli_npz npz = {0};
    const int is_archive = p->out && has_ending(p->out, ".npz");
    int status = is_archive ? cli_npz_begin(&npz) : CLI_GO_ON;
    if (status == CLI_GO_ON) status = tell_outputs(p, &npz);
    if (!is_archive) return status;
    int written = cli_npz_end(&npz, status == CLI_GO_ON ? p->out : NULL);
    return status == CLI_GO_ON ? written : status;
}

/* ---- running ---- */

static void explain_line(void *arg, const char *line)
{
    (void)arg;
    fprintf(stderr, "%s\n", line);
}

static tn_status run(predictor *p)
{
    tn_port port;
    for (size_t i = 0; tn_program_input_at(p->program, i, &port); i++)
        for (size_t k = 0; k < p->onnx.inputs; k++) {
            if (strcmp(port.name, p->onnx.given[k].name) != 0) continue;
            const uint64_t bytes = (uint64_t)tn_shape_count(&port.shape) * (port.dtype == TN_F64 ? 8 : 4);
            tn_status s = tn_feed(p->program, port.name, p->onnx.data[k], bytes);
            if (s) return s;
        }
    return tn_program_run(p->program);
}

static int compute(predictor *p, tn_graph *graph)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_program_report report;
    tn_status s = tn_device_open(p->device, &device);
    if (!s) s = tn_state_new(device, 0, &state);
    if (!s && p->onnx.weights) s = tn_checkpoint_load(p->onnx.weights, state);
    if (!s) s = tn_compile(graph, state, &(tn_compile_options){.strict = (uint32_t)p->strict}, &p->program);
    if (!s) tn_program_get_report(p->program, &report);
    if (!s && report.fallback_nodes)
        cli_warn("%u of %u operators run elsewhere than on %s; the first is %s: %s", report.fallback_nodes,
                 report.nodes, tn_device_name(device), report.fallback_first, report.fallback_why);
    if (!s && p->explain) tn_program_explain(p->program, explain_line, NULL);
    if (!s) s = run(p);
    int status = s ? cli_failed() : tell(p);
    tn_program_free(p->program);
    tn_state_free(state);
    tn_device_close(device);
    return status;
}

static int predict(predictor *p, char **words, int count)
{
    int status = cli_onnx_open(&p->onnx, p->path);
    if (status == CLI_GO_ON) status = cli_onnx_spares(p->onnx.model, "out", p->out);
    if (status == CLI_GO_ON) status = take_inputs(p, words, count);
    if (status == CLI_GO_ON) status = cli_onnx_shapes(&p->onnx, p->shapes, 0);
    tn_graph *graph = status == CLI_GO_ON ? cli_onnx_build(&p->onnx, 0) : NULL;
    if (status == CLI_GO_ON && !graph) {
        status = cli_failed();
        cli_onnx_problems(&p->onnx, stderr, 1);
    }
    if (status == CLI_GO_ON) status = compute(p, graph);
    tn_graph_free(graph);
    cli_onnx_close(&p->onnx);
    return status;
}

int cli_predict_onnx(int argc, char **argv)
{
    predictor p = {.device = "auto", .header = "auto"};
    int operands;
    cli_option options[] = {
        {CLI_TEXT, "model", "FILE", "an ONNX file", &p.path, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "device", "NAME", "cpu, opencl:0, reference, or auto (auto)", &p.device, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "shape", "NAME=SHAPE,...", "sizes that neither the file nor the data says", &p.shapes, 0, 0, 0, 0, 0,
         0},
        {CLI_TEXT, "header", "yes|no|auto", "whether a table's first line names its columns (auto)", &p.header, 0, 0, 0,
         0, 0, 0},
        {CLI_FLAG, "json", 0, "JSON objects on standard output, one for each output, with all its numbers", &p.json, 0,
         0, 0, 0, 0, 0},
        {CLI_TEXT, "out", "FILE",
         "write the outputs there too: .npz, all by their names; or .npy, of several each to FILE with its name before "
         "it",
         &p.out, 0, 0, 0, 0, 0, 0},
        {CLI_WHOLE, "most", "N", CLI_ONNX_MOST, &p.onnx.most, 0, INT32_MAX, 0, 0, 0, 0},
        {CLI_FLAG, "strict", 0, "fail rather than run a part on another device", &p.strict, 0, 0, 0, 0, 0, 0},
        {CLI_FLAG, "explain", 0, "print the compiled program on standard error", &p.explain, 0, 0, 0, 0, 0, 0},
        {.kind = CLI_END},
    };
    int status = cli_parse(&(cli_syntax){"predict", "[NAME=]FILE...", doc, NULL, options}, argc, argv, &operands);
    if (status == CLI_GO_ON && p.out && !has_ending(p.out, ".npy") && !has_ending(p.out, ".npz"))
        status = cli_usage("--out '%s': outputs are written as .npy or .npz", p.out);
    if (status == CLI_GO_ON && cli_header_kind(p.header) < 0)
        status = cli_usage("--header '%s' is none of yes, no, auto", p.header);
    if (status == CLI_GO_ON && p.out && cli_can_write("out", p.out)) status = CLI_FAILED;
    if (status == CLI_GO_ON && p.out && cli_not_the_same("out", p.out, "--model", p.path)) status = CLI_USAGE;
    for (int i = 1; status == CLI_GO_ON && i <= operands; i++)
        if (cli_not_the_same("out", p.out, "the input", argv[i])) status = CLI_USAGE;
    if (status == CLI_GO_ON) status = predict(&p, argv + 1, operands);
    return status == CLI_GO_ON ? CLI_OK : status;
}
