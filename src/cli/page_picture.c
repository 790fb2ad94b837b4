/* page_picture.c: samples on the page of a report: pictures as PNG in base64, with what they are and were taken for. */
#include "page.h"

#include <inttypes.h>
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#define SOME 12 /* samples, and as many that are wrong */

/* ---- pictures ---- */

static void put_base64(FILE *f, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < count; i += 3) {
        const uint32_t left = (uint32_t)(count - i), b = left > 1 ? bytes[i + 1] : 0, c = left > 2 ? bytes[i + 2] : 0;
        const uint32_t word = (uint32_t)bytes[i] << 16 | b << 8 | c;
        putc(digits[word >> 18], f);
        putc(digits[word >> 12 & 63], f);
        putc(left > 1 ? digits[word >> 6 & 63] : '=', f);
        putc(left > 2 ? digits[word & 63] : '=', f);
    }
}

/* Channels, height and width of a sample that is a picture of bytes; 0: it is none. */
static int is_picture(const tn_dataset *data, int64_t size[3])
{
    const tn_shape *s = &data->sample;
    if (data->x_dtype != TN_U8 || s->rank < 2 || s->rank > 3) return 0;
    size[0] = s->rank == 3 ? s->dim[0] : 1;
    size[1] = s->dim[s->rank - 2];
    size[2] = s->dim[s->rank - 1];
    return (size[0] == 1 || size[0] == 3) && size[1] > 0 && size[2] > 0 && size[1] <= 4096 && size[2] <= 4096;
}

/* Pixel by pixel instead of channel by channel; NULL: no memory, or it can't be read. */
static uint8_t *read_pixels(const tn_dataset *data, int64_t index, const int64_t size[3])
{
    const int64_t pixels = size[1] * size[2];
    uint8_t *planes = malloc((size_t)(pixels * size[0])), *out = malloc((size_t)(pixels * size[0]));
    if (!planes || !out || tn_dataset_sample(data, index, planes, NULL)) {
        free(out);
        out = NULL;
    }
    for (int64_t i = 0; out && i < pixels; i++)
        for (int64_t c = 0; c < size[0]; c++) out[i * size[0] + c] = planes[c * pixels + i];
    free(planes);
    return out;
}

/* 0: no memory. */
static int put_png(FILE *f, const uint8_t *pixels, const int64_t size[3])
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)size[2],
                       .height = (png_uint_32)size[1],
                       .format = size[0] == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
    png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
    uint8_t *png = malloc(bytes);
    const int made = png && png_image_write_to_memory(&image, png, &bytes, 0, pixels, 0, NULL);
    if (made) put_base64(f, png, bytes);
    free(png);
    return made;
}

/* 0: there is no memory, or it can't be read. */
static int put_picture(FILE *f, const tn_dataset *data, int64_t index)
{
    int64_t size[3];
    if (!is_picture(data, size)) return 1;
    uint8_t *pixels = read_pixels(data, index, size);
    if (!pixels) return 0;
    fprintf(f, "<img alt=\"\" width=\"%" PRId64 "\" height=\"%" PRId64 "\" src=\"data:image/png;base64,", size[2],
            size[1]);
    const int made = put_png(f, pixels, size);
    fprintf(f, "\">");
    free(pixels);
    return made;
}

/* ---- samples ---- */

static void put_classes(FILE *f, const cli_results *r, int64_t sample, int64_t found)
{
    char name[CLI_CLASS_NAME];
    fprintf(f, "<b>");
    cli_page_text(f, found < 0 ? "no class" : cli_class_name(r->model, found, name, sizeof name));
    fprintf(f, "</b>");
    if (found >= 0 && cli_loss_tells_probabilities(r->model->loss))
        fprintf(f, " %.1f %%", 100 * (double)r->y[sample * r->outputs + found]);
    if (found == r->label[sample]) return;
    fprintf(f, "<br>is ");
    cli_page_text(f, cli_class_name(r->model, r->label[sample], name, sizeof name));
}

static void put_numbers(FILE *f, const cli_results *r, int64_t sample)
{
    const char *names = r->model->target_names;
    for (int64_t k = 0; k < r->outputs && k < 4; k++) {
        char name[200];
        snprintf(name, sizeof name, "output %" PRId64, k + 1);
        if (names && *names) snprintf(name, sizeof name, "%.*s", (int)cli_name_length(names), names);
        fprintf(f, "%s", k ? "<br>" : "");
        cli_page_text(f, name);
        fprintf(f, " <b>%.5g</b>, is %.5g", cli_unsigned_nan(r->y[sample * r->outputs + k]),
                r->target[sample * r->outputs + k]);
        if (names) names = cli_next_name(names);
    }
}

static int put_sample(FILE *f, const cli_results *r, int64_t sample)
{
    char name[4096];
    const int64_t found = r->label ? tn_class_of(r->y + sample * r->outputs, r->outputs) : 0;
    fprintf(f, "<figure%s>", r->label && found != r->label[sample] ? " class=\"wrong\"" : "");
    const int made = put_picture(f, r->data, sample);
    fprintf(f, "<div>");
    if (r->label)
        put_classes(f, r, sample, found);
    else
        put_numbers(f, r, sample);
    tn_dataset_name(r->data, sample, name, sizeof name);
    fprintf(f, "</div><figcaption>");
    cli_page_text(f, cli_fitted_end(name, sizeof name, 60));
    fprintf(f, "</figcaption></figure>\n");
    return made ? CLI_OK : cli_fail("the report's pictures: out of memory, or %s cannot be read", r->data->source);
}

int cli_page_samples(FILE *f, const cli_results *r)
{
    const int64_t count = r->data->count, shown = count < SOME ? count : SOME;
    fprintf(f, "<section id=\"samples\"><h2>Samples and what the model makes of them</h2>\n<div class=\"samples\">\n");
    int status = CLI_OK;
    for (int64_t i = 0; i < shown && !status; i++) status = put_sample(f, r, i * count / shown);
    fprintf(f, "</div></section>\n");
    return status;
}

int cli_page_worst(FILE *f, const cli_results *r)
{
    fprintf(f, "<section id=\"worst\"><h2>Most wrong</h2>\n");
    if (!r->n_worst) fprintf(f, "<p>None of %" PRId64 " samples is wrong.</p>\n", r->data->count);
    fprintf(f, "<div class=\"samples\">\n");
    int status = CLI_OK;
    for (int i = 0; i < r->n_worst && i < SOME && !status; i++) status = put_sample(f, r, r->worst[i].sample);
    fprintf(f, "</div></section>\n");
    return status;
}
