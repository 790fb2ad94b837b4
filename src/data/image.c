/* image.c: images as training takes them: PNG by libpng, JPEG by libjpeg; transparency is left out, as most programs
 * do, and what a camera took on its side stands upright. One of another size than the sample's is scaled until it
 * covers that, with its proportions, and its middle is taken. Scaling weighs pixels by a triangle that is as wide as
 * the new pixels are (bilinear, smoothed where it becomes smaller). */
#include "image.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jpeglib.h>

#include <jerror.h>
#include <png.h>

#include "alloc.h"
#include "error.h"
#include "exif.h"
#include "given.h"
#include "picture.h"
#include "read.h"
#include "tenon/data.h"

#define MOST_PIXELS     (1u << 27)
#define PIXELS_PER_BYTE 8300u /* deflate can't pack more one-bit pixels than that into a byte */

/* Pixels side by side: (height, width, channels), 1 for grey and 3 for colours. `pixel` has room for 4. */
typedef struct image {
    int64_t channels, height, width;
    uint8_t *pixel;
    int orientation; /* Exif's, if it is not 0 */
} image;

/* What is read. */
typedef struct job {
    const char *path;
    const uint8_t *content;
    uint64_t bytes;
    int sizes_alone;
} job;

static tn_status make_room(const job *j, uint64_t height, uint64_t width, uint64_t most, image *to)
{
    TN_REQUIRE(height && width && height <= MOST_PIXELS && width <= MOST_PIXELS && height * width <= MOST_PIXELS &&
                   height * width <= most,
               TN_EFORMAT, "%s: absurd size: %llu x %llu pixels", j->path, (unsigned long long)width,
               (unsigned long long)height);
    to->height = (int64_t)height;
    to->width = (int64_t)width;
    if (j->sizes_alone) return TN_OK;
    to->pixel = tn_alloc(height * width * 4);
    return to->pixel ? TN_OK : TN_ENOMEM;
}

/* ---- PNG ---- */

/* Leaves the last channel of pixels out, in place. */
static void drop_alpha(image *to)
{
    const int64_t count = to->height * to->width, channels = to->channels;
    for (int64_t i = 0; i < count; i++)
        for (int64_t c = 0; c < channels; c++) to->pixel[i * channels + c] = to->pixel[i * (channels + 1) + c];
}

static tn_status finish_png(const job *j, png_image *png, image *to)
{
    to->channels = png->format & PNG_FORMAT_FLAG_COLOR ? 3 : 1;
    TN_TRY(make_room(j, png->height, png->width, j->bytes * PIXELS_PER_BYTE, to));
    if (!to->pixel) return TN_OK;
    png->format = to->channels == 3 ? PNG_FORMAT_RGBA : PNG_FORMAT_GA;
    png->flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    TN_REQUIRE(png_image_finish_read(png, NULL, to->pixel, 0, NULL), TN_EFORMAT, "%s: is a damaged PNG file: %s",
               j->path, png->message);
    drop_alpha(to);
    return TN_OK;
}

static tn_status read_png(const job *j, image *to)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    tn_status status;
    if (!png_image_begin_read_from_memory(&png, j->content, j->bytes))
        status = tn_fail(TN_EFORMAT, "%s: is a damaged PNG file: %s", j->path, png.message);
    else
        status = finish_png(j, &png, to);
    png_image_free(&png);
    return status;
}

/* ---- JPEG ---- */

/* libjpeg comes back from an error by a jump. */
typedef struct jpeg_job {
    struct jpeg_decompress_struct codec;
    struct jpeg_error_mgr errors;
    jmp_buf back;
    char text[JMSG_LENGTH_MAX];
    int code;
} jpeg_job;

static void give_up(j_common_ptr codec)
{
    jpeg_job *p = codec->client_data;
    p->code = codec->err->msg_code;
    codec->err->format_message(codec, p->text);
    longjmp(p->back, 1);
}

/* What others decode with a warning is cut short or damaged. */
static void warn(j_common_ptr codec, int level)
{
    if (level < 0) give_up(codec);
}

static int find_orientation(const struct jpeg_decompress_struct *codec)
{
    int found = 1;
    for (jpeg_saved_marker_ptr m = codec->marker_list; m && found == 1; m = m->next)
        found = tn_exif_orientation(m->data, m->data_length);
    return found;
}

/* Inks for printing, cyan, magenta, yellow and black, in place: as Adobe's programs write them, and all others by now,
 * 255 is none. */
static void to_colours(image *to)
{
    const int64_t count = to->height * to->width;
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *ink = to->pixel + 4 * i;
        const unsigned light = ink[3];
        for (int64_t c = 0; c < 3; c++) {
            const unsigned part = (255u - ink[c]) * light + 128;
            to->pixel[3 * i + c] = (uint8_t)(light - ((part + (part >> 8)) >> 8));
        }
    }
}

static tn_status decode_jpeg(const job *j, jpeg_job *p, image *to)
{
    jpeg_mem_src(&p->codec, j->content, j->bytes);
    jpeg_save_markers(&p->codec, JPEG_APP0 + 1, 0xFFFF);
    (void)jpeg_read_header(&p->codec, TRUE);
    to->channels = p->codec.num_components == 1 ? 1 : 3;
    const int inks = p->codec.num_components == 4;
    to->orientation = find_orientation(&p->codec);
    TN_TRY(make_room(j, p->codec.image_height, p->codec.image_width, MOST_PIXELS, to));
    if (!to->pixel) return TN_OK;
    p->codec.out_color_space = inks ? JCS_CMYK : to->channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
    (void)jpeg_start_decompress(&p->codec);
    while (p->codec.output_scanline < p->codec.output_height) {
        JSAMPROW row = to->pixel + (size_t)p->codec.output_scanline * (size_t)(to->width * (inks ? 4 : to->channels));
        (void)jpeg_read_scanlines(&p->codec, &row, 1);
    }
    (void)jpeg_finish_decompress(&p->codec);
    if (inks) to_colours(to);
    return TN_OK;
}

static tn_status read_jpeg(const job *j, image *to)
{
    jpeg_job *p = tn_alloc(sizeof *p);
    volatile tn_status status = TN_EFORMAT;
    if (!p) return TN_ENOMEM;
    p->codec.err = jpeg_std_error(&p->errors);
    p->codec.client_data = p;
    p->errors.error_exit = give_up;
    p->errors.emit_message = warn;
    if (!setjmp(p->back)) {
        jpeg_create_decompress(&p->codec);
        status = decode_jpeg(j, p, to);
    } else if (p->code == JERR_OUT_OF_MEMORY) {
        status = tn_fail(TN_ENOMEM, "%s: out of memory for the decompressor", j->path);
    } else {
        status = tn_fail(TN_EFORMAT, "%s: is a damaged JPEG file: %s", j->path, p->text);
    }
    jpeg_destroy_decompress(&p->codec);
    tn_free(p);
    return status;
}

/* ---- either ---- */

int tn_image_named(const char *name)
{
    static const struct {
        const char *ending;
        int kind;
    } kinds[] = {{".png", TN_IMAGE},        {".jpg", TN_IMAGE},         {".jpeg", TN_IMAGE},
                 {".bmp", TN_IMAGE_UNREAD}, {".gif", TN_IMAGE_UNREAD},  {".webp", TN_IMAGE_UNREAD},
                 {".tif", TN_IMAGE_UNREAD}, {".tiff", TN_IMAGE_UNREAD}, {".pgm", TN_IMAGE_UNREAD},
                 {".ppm", TN_IMAGE_UNREAD}, {".heic", TN_IMAGE_UNREAD}, {".avif", TN_IMAGE_UNREAD}};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof kinds / sizeof *kinds; i++)
        if (!strcasecmp(dot, kinds[i].ending)) return kinds[i].kind;
    return TN_IMAGE_NONE;
}

/* ---- upright ---- */

/* Where the upright image's first pixel is in the file's rows, and how far from there to the next below and beside:
 * Exif's orientations from 2 on, as rows and columns that are counted backwards, and their exchange. */
static const struct {
    int up, left, sideways;
} turns[] = {{0, 0, 0}, {0, 1, 0}, {1, 1, 0}, {1, 0, 0}, {0, 0, 1}, {1, 0, 1}, {1, 1, 1}, {0, 1, 1}};

static tn_status stand_up(image *im)
{
    if (im->orientation < 2) return TN_OK;
    const int64_t channels = im->channels, height = im->height, width = im->width;
    const int up = turns[im->orientation - 1].up, left = turns[im->orientation - 1].left;
    const int sideways = turns[im->orientation - 1].sideways;
    im->height = sideways ? width : height;
    im->width = sideways ? height : width;
    if (!im->pixel) return TN_OK;
    uint8_t *to = tn_alloc((size_t)(height * width) * 4), *at = to;
    if (!to) return TN_ENOMEM;
    for (int64_t y = 0; y < im->height; y++)
        for (int64_t x = 0; x < im->width; x++, at += channels) {
            const int64_t row = sideways ? x : y, column = sideways ? y : x;
            const int64_t from = (up ? height - 1 - row : row) * width + (left ? width - 1 - column : column);
            memcpy(at, im->pixel + from * channels, (size_t)channels);
        }
    tn_free(im->pixel);
    im->pixel = to;
    return TN_OK;
}

/* The caller frees to->pixel, whether this succeeded or not. */
static tn_status read_image(const char *path, int sizes_alone, image *to)
{
    char *content = NULL;
    job j = {.path = path, .sizes_alone = sizes_alone};
    TN_TRY(tn_read_whole(path, &content, &j.bytes));
    j.content = (const uint8_t *)content;
    tn_status status = TN_EFORMAT;
    if (j.bytes > 8 && !png_sig_cmp(j.content, 0, 8))
        status = read_png(&j, to);
    else if (j.bytes > 2 && j.content[0] == 0xFF && j.content[1] == 0xD8)
        status = read_jpeg(&j, to);
    else
        tn_fail(status, "%s: is %s; expected an image: PNG or JPEG", path, j.bytes ? "no image" : "empty");
    tn_free(content);
    return status ? status : stand_up(to);
}

/* ---- the sample's channels ---- */

/* Luma of ITU-R BT.601, in 65536ths. */
static uint8_t grey_of(const uint8_t *pixel)
{
    return (uint8_t)((19595u * pixel[0] + 38470u * pixel[1] + 7471u * pixel[2] + 0x8000u) >> 16);
}

/* In place. */
static void recolour(image *im, int64_t channels)
{
    const int64_t count = im->height * im->width;
    for (int64_t i = 0; i < count && channels < im->channels; i++) im->pixel[i] = grey_of(im->pixel + 3 * i);
    for (int64_t i = count; i-- > 0 && channels > im->channels;) memset(im->pixel + 3 * i, im->pixel[i], 3);
    im->channels = channels;
}

tn_status tn_image_levels(const char *path, int64_t channels, tn_picture *picture)
{
    image read = {0};
    tn_status status = read_image(path, 0, &read);
    if (!status) recolour(&read, channels);
    const int64_t count = read.height * read.width;
    float *level = status ? NULL : tn_alloc((size_t)(channels * count) * sizeof *level);
    if (!status && !level) status = TN_ENOMEM;
    for (int64_t c = 0; c < channels && !status; c++)
        for (int64_t i = 0; i < count; i++) level[c * count + i] = read.pixel[i * channels + c];
    if (!status) *picture = (tn_picture){channels, read.height, read.width, level};
    tn_free(read.pixel);
    return status;
}

tn_status tn_image_shape(const char *path, tn_shape *shape)
{
    image found = {0};
    tn_status status = read_image(path, 1, &found);
    if (!status) *shape = TN_SHAPE(found.channels, found.height, found.width);
    return status;
}

/* ---- the sample's size ---- */

/* For each of `count` new pixels in a line the old ones that it is made of: `most` weights from number begin[i] on. */
typedef struct taps {
    int64_t *begin, most;
    float *weight;
} taps;

static void free_taps(taps *t)
{
    tn_free(t->begin);
    tn_free(t->weight);
}

static void weigh(taps *t, int64_t i, int64_t old, double centre, double reach)
{
    double sum = 0;
    float *weight = t->weight + i * t->most;
    int64_t begin = (int64_t)fmax(0, floor(centre - reach));
    for (int64_t k = 0; k < t->most && begin + k < old; k++) {
        double away = fabs((double)(begin + k) + 0.5 - centre) / reach;
        weight[k] = away < 1 ? (float)(1 - away) : 0;
        sum += weight[k];
    }
    for (int64_t k = 0; k < t->most; k++) weight[k] = (float)(weight[k] / sum);
    t->begin[i] = begin;
}

/* A new pixel is `step` old ones wide; the first begins at `first`. */
static tn_status make_taps(int64_t old, double first, double step, int64_t count, taps *t)
{
    double reach = fmax(step, 1);
    t->most = 2 * (int64_t)ceil(reach) + 1;
    t->begin = tn_alloc((size_t)count * sizeof *t->begin);
    t->weight = tn_alloc((size_t)(count * t->most) * sizeof *t->weight);
    if (!t->begin || !t->weight) return TN_ENOMEM;
    for (int64_t i = 0; i < count; i++) weigh(t, i, old, first + ((double)i + 0.5) * step, reach);
    return TN_OK;
}

/* Lines of `old` pixels to lines of `width`. */
static void scale_lines(const image *from, const taps *t, int64_t width, float *to)
{
    const int64_t channels = from->channels;
    for (int64_t y = 0; y < from->height; y++)
        for (int64_t x = 0; x < width; x++)
            for (int64_t c = 0; c < channels; c++) {
                const uint8_t *line = from->pixel + y * from->width * channels + c;
                float sum = 0;
                for (int64_t k = 0; k < t->most && t->begin[x] + k < from->width; k++)
                    sum += t->weight[x * t->most + k] * line[(t->begin[x] + k) * channels];
                *to++ = sum;
            }
}

/* Columns likewise, to planes. */
static void scale_columns(const float *from, int64_t old, const taps *t, const tn_shape *sample, uint8_t *to)
{
    const int64_t channels = sample->dim[0], row = sample->dim[2] * channels;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t y = 0; y < sample->dim[1]; y++)
            for (int64_t x = 0; x < sample->dim[2]; x++) {
                const float *column = from + x * channels + c;
                float sum = 0.5f;
                for (int64_t k = 0; k < t->most && t->begin[y] + k < old; k++)
                    sum += t->weight[y * t->most + k] * column[(t->begin[y] + k) * row];
                *to++ = (uint8_t)fminf(sum, 255);
            }
}

static tn_status scale(const image *from, const tn_shape *sample, uint8_t *to)
{
    const int64_t height = sample->dim[1], width = sample->dim[2];
    const double step = fmin((double)from->height / (double)height, (double)from->width / (double)width);
    taps across = {0}, down = {0};
    float *lines = tn_alloc((size_t)(from->height * width * from->channels) * sizeof *lines);
    tn_status status = lines ? TN_OK : TN_ENOMEM;
    if (!status)
        status = make_taps(from->width, ((double)from->width - step * (double)width) / 2, step, width, &across);
    if (!status)
        status = make_taps(from->height, ((double)from->height - step * (double)height) / 2, step, height, &down);
    if (!status) scale_lines(from, &across, width, lines);
    if (!status) scale_columns(lines, from->height, &down, sample, to);
    tn_free(lines);
    free_taps(&across);
    free_taps(&down);
    return status;
}

/* Pixels side by side to planes. */
static void to_planes(const image *from, uint8_t *to)
{
    const int64_t count = from->height * from->width, channels = from->channels;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t i = 0; i < count; i++) *to++ = from->pixel[i * channels + c];
}

tn_status tn_image_read(const char *path, const tn_shape *sample, uint8_t *out)
{
    TN_GIVEN(path, sample, out);
    image read = {0};
    TN_TRY(tn_picture_check(path, sample, 0));
    TN_REQUIRE(sample->rank == 3, TN_ESHAPE, "%s: expected samples of (channels, height, width)", path);
    tn_status status = read_image(path, 0, &read);
    if (!status) recolour(&read, sample->dim[0]);
    const int same = read.height == sample->dim[1] && read.width == sample->dim[2];
    if (!status && same) to_planes(&read, out);
    if (!status && !same) status = scale(&read, sample, out);
    tn_free(read.pixel);
    return status;
}
