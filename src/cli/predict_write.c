/* predict_write.c: the outputs as files: an array of NumPy's, or a table, also with the columns that they come from. */
#include "data.h"
#include "predict.h"
#include "rows.h"
#include "sheet.h"

#include <string.h>

static int write_array(const cli_predictor *p)
{
    return tn_array_write(p->saved.out, TN_F32, TN_SHAPE(p->count, p->outputs), p->y) ? cli_failed() : CLI_GO_ON;
}

/* Whether a column of the inputs is called as the class, its probability or an output is. */
static int inputs_clash(const cli_predictor *p, const cli_rows *inputs)
{
    const cli_model *model = &p->saved.model;
    const char *names = cli_output_names(model, p->outputs);
    char name[CLI_CLASS_NAME];
    int clash = model->classes && (cli_rows_names(inputs, "class") || cli_rows_names(inputs, "probability"));
    for (int64_t k = 0; k < p->outputs; k++) {
        cli_next_output(model, &names, k, name);
        clash |= cli_rows_names(inputs, name);
    }
    return clash;
}

static void write_heading(cli_sheet *sheet, const char *as, const char *name)
{
    char heading[CLI_CLASS_NAME + 4];
    snprintf(heading, sizeof heading, "%s%s%s", as, name, *as ? ")" : "");
    cli_sheet_text(sheet, heading, strlen(heading));
}

/* "input,index", or the columns of the inputs; "class,probability", and the outputs by the names of classes or targets.
 */
static void write_head(const cli_predictor *p, const cli_rows *inputs, cli_sheet *sheet)
{
    const cli_model *model = &p->saved.model;
    const int clash = inputs ? inputs_clash(p, inputs)
                             : cli_outputs_clash(model, p->outputs, model->classes ? 3 + cli_tells_probability(p) : 2);
    const char *names = cli_output_names(model, p->outputs), *as = cli_tells_probability(p) ? "p(" : "y(";
    char name[CLI_CLASS_NAME];
    if (inputs) cli_rows_head(inputs, sheet);
    if (!inputs) cli_sheet_text(sheet, "input", 5);
    if (!inputs) cli_sheet_text(sheet, "index", 5);
    if (model->classes) write_heading(sheet, inputs && clash ? "y(" : "", "class");
    if (cli_tells_probability(p)) write_heading(sheet, inputs && clash ? "y(" : "", "probability");
    for (int64_t k = 0; k < p->outputs; k++) {
        cli_next_output(model, &names, k, name);
        write_heading(sheet, clash ? as : "", name);
    }
    cli_sheet_row(sheet);
}

static void write_line(const cli_predictor *p, const cli_samples *in, const cli_rows *inputs, int64_t index,
                       const float *y, cli_sheet *sheet)
{
    char name[CLI_CLASS_NAME];
    double probability;
    int64_t best = cli_best_class(p, y, &probability);
    if (inputs) cli_rows_put(inputs, index, sheet);
    if (!inputs) cli_sheet_text(sheet, in->path, strlen(in->path));
    if (!inputs) cli_sheet_whole(sheet, index);
    if (p->saved.model.classes) {
        *name = 0;
        if (best != CLI_NO_CLASS) cli_class_name(&p->saved.model, best, name, sizeof name);
        cli_sheet_text(sheet, name, strlen(name));
    }
    if (cli_tells_probability(p)) cli_sheet_number(sheet, probability);
    for (int64_t k = 0; k < p->outputs; k++) cli_sheet_number(sheet, y[k]);
    cli_sheet_row(sheet);
}

static int write_table(const cli_predictor *p)
{
    cli_sheet sheet;
    cli_rows *inputs = NULL;
    const float *y = p->y;
    if (p->saved.with_inputs && cli_rows_open(p->file, &inputs) != CLI_GO_ON) return CLI_FAILED;
    if (cli_sheet_begin(&sheet)) return cli_rows_free(inputs), CLI_FAILED;
    write_head(p, inputs, &sheet);
    for (int f = 0; f < p->files; f++)
        for (int64_t i = 0; i < p->file[f].count; i++, y += p->outputs)
            write_line(p, &p->file[f], inputs, i, y, &sheet);
    cli_rows_free(inputs);
    return cli_sheet_end(&sheet, p->saved.out) ? CLI_FAILED : CLI_GO_ON;
}

static const struct {
    const char *ending;
    int (*write)(const cli_predictor *p);
} writers[] = {{".npy", write_array}, {".csv", write_table}};

#define WRITERS (sizeof writers / sizeof *writers)

/* By how the file's name ends; WRITERS for none. */
static size_t find_writer(const char *path)
{
    size_t i = 0;
    while (i < WRITERS && !cli_has_ending(path, writers[i].ending)) i++;
    return i;
}

int cli_write_outputs(const cli_predictor *p)
{
    return p->saved.out ? writers[find_writer(p->saved.out)].write(p) : CLI_GO_ON;
}

int cli_check_out(const cli_saved *saved, char **paths, int files)
{
    const char *out = saved->out;
    if (out && find_writer(out) == WRITERS) return cli_usage("--out '%s': outputs are written as .npy or .csv", out);
    if (saved->with_inputs && (!out || !cli_has_ending(out, ".csv")))
        return cli_usage("--with-inputs is for a table that goes to --out FILE.csv");
    if (saved->with_inputs && (files != 1 || cli_is_standard(paths[0])))
        return cli_usage("--with-inputs takes one table, and from a file, which is read twice");
    int status = cli_not_the_same("out", out, "--model", saved->path);
    for (int i = 0; i < files && !status; i++) status = cli_not_the_same("out", out, "the input", paths[i]);
    return status ? status : CLI_GO_ON;
}
