/* picture.c: one picture for prediction, from PNG (through libpng's simplified interface) or PGM: see picture.h too. */
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "given.h"
#include "image.h"
#include "picture.h"
#include "read.h"
#include "shape.h"
#include "tenon/data.h"

#define MOST_PIXELS     (1u << 27)
#define PIXELS_PER_BYTE 8300u /* deflate can't pack more one-bit pixels than that into a byte */

static tn_status new_picture(const char *path, int64_t channels, uint64_t height, uint64_t width, uint64_t most,
                             tn_picture *picture)
{
    TN_REQUIRE(height && width && height <= MOST_PIXELS && width <= MOST_PIXELS && height * width <= MOST_PIXELS &&
                   height * width <= most,
               TN_EFORMAT, "%s: absurd size: %llu x %llu pixels", path, (unsigned long long)width,
               (unsigned long long)height);
    *picture = (tn_picture){channels, (int64_t)height, (int64_t)width, NULL};
    picture->level = tn_alloc((size_t)channels * height * width * sizeof *picture->level);
    return picture->level ? TN_OK : TN_ENOMEM;
}

/* ---- PNG ---- */

/* What shows through: white under dark ink, black under light ink. */
static float paper(const uint8_t *pixel, size_t count, int64_t channels)
{
    double ink = 0, weight = 0;
    for (size_t i = 0; i < count; i++, pixel += channels + 1)
        for (int64_t c = 0; c < channels; c++) {
            ink += (double)pixel[c] * pixel[channels];
            weight += pixel[channels];
        }
    return ink > 127.5 * weight ? 0 : 255;
}

/* Pixels with alpha to planes without. */
static void flatten(const uint8_t *pixel, tn_picture *picture)
{
    size_t count = (size_t)(picture->height * picture->width);
    int64_t channels = picture->channels;
    float behind = paper(pixel, count, channels);
    for (size_t i = 0; i < count; i++, pixel += channels + 1)
        for (int64_t c = 0; c < channels; c++) {
            float alpha = (float)pixel[channels] / 255;
            picture->level[(size_t)c * count + i] = alpha * pixel[c] + (1 - alpha) * behind;
        }
}

static tn_status decode_png(const char *path, png_image *image, uint64_t bytes, int64_t channels, tn_picture *picture)
{
    TN_TRY(new_picture(path, channels, image->height, image->width, bytes * PIXELS_PER_BYTE, picture));
    image->format = channels == 3 ? PNG_FORMAT_RGBA : PNG_FORMAT_GA;
    uint8_t *pixel = tn_alloc(PNG_IMAGE_SIZE(*image));
    if (!pixel) return TN_ENOMEM;
    tn_status status = TN_OK;
    if (!png_image_finish_read(image, NULL, pixel, 0, NULL))
        status = tn_fail(TN_EFORMAT, "%s: is a damaged PNG file: %s", path, image->message);
    else
        flatten(pixel, picture);
    tn_free(pixel);
    return status;
}

static tn_status read_png(const char *path, const char *content, uint64_t bytes, int64_t channels, tn_picture *picture)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    tn_status status;
    if (!png_image_begin_read_from_memory(&image, content, bytes))
        status = tn_fail(TN_EFORMAT, "%s: is a damaged PNG file: %s", path, image.message);
    else
        status = decode_png(path, &image, bytes, channels, picture);
    png_image_free(&image);
    return status;
}

/* ---- PGM ---- */

/* The next number of a PGM header or of a P2 body: after spaces and comments. -1 if there is none. */
static int64_t pgm_number(const char **at)
{
    const char *text = *at;
    while (*text && strchr(" \t\r\n#", *text)) text += *text == '#' ? strcspn(text, "\n") : 1;
    size_t digits = strspn(text, "0123456789");
    *at = text + digits;
    return digits && digits < 10 ? strtol(text, NULL, 10) : -1;
}

/* One level of the body, or -1 where it ends. */
static int64_t pgm_level(const char **at, const char *end, int plain, int64_t most)
{
    const unsigned char *byte = (const unsigned char *)*at;
    int64_t bytes = most > 255 ? 2 : 1;
    if (plain) return pgm_number(at);
    if (end - *at < bytes) return -1;
    *at += bytes;
    return bytes == 2 ? byte[0] << 8 | byte[1] : byte[0];
}

static tn_status read_pgm(const char *path, const char *content, uint64_t bytes, int64_t channels, tn_picture *picture)
{
    const char *at = content + 2, *end = content + bytes;
    int plain = content[1] == '2';
    int64_t width = pgm_number(&at), height = pgm_number(&at), most = pgm_number(&at);
    TN_REQUIRE(width > 0 && height > 0 && most > 0 && most < 65536 && at < end, TN_EFORMAT,
               "%s: a PGM header needs width, height and the level of white", path);
    if (!plain) at++; /* the one space before the bytes */
    TN_TRY(new_picture(path, channels, (uint64_t)height, (uint64_t)width, bytes, picture));
    int64_t count = width * height;
    for (int64_t i = 0; i < count; i++) {
        int64_t level = pgm_level(&at, end, plain, most);
        TN_REQUIRE(level >= 0, TN_EFORMAT, "%s: is cut short: expected %lld levels, found %lld", path, (long long)count,
                   (long long)i);
        TN_REQUIRE(level <= most, TN_EFORMAT, "%s: level %lld is above the %lld of white", path, (long long)level,
                   (long long)most);
        for (int64_t c = 0; c < channels; c++) picture->level[c * count + i] = 255.0f * (float)level / (float)most;
    }
    return TN_OK;
}

/* ---- fitting ---- */

static double border_mean(const tn_picture *picture)
{
    double sum = 0, count = 0;
    for (int64_t y = 0; y < picture->height; y++)
        for (int64_t x = 0; x < picture->width; x++) {
            if (y && x && y < picture->height - 1 && x < picture->width - 1) continue;
            sum += picture->level[y * picture->width + x];
            count++;
        }
    return sum / count;
}

static void invert_if_bright(tn_picture *picture)
{
    int64_t count = picture->height * picture->width;
    if (border_mean(picture) <= 127.5) return;
    for (int64_t i = 0; i < count; i++) picture->level[i] = 255 - picture->level[i];
}

/* How much of cell i lies between low and high. */
static double share(int64_t i, double low, double high)
{
    return fmax(0, fmin(high, (double)i + 1) - fmax(low, (double)i));
}

double tn_area_mean(const float *plane, int64_t height, int64_t width, double top, double left, double step)
{
    double sum = 0, area = 0;
    double bottom = fmin(top + step, (double)height), right = fmin(left + step, (double)width);
    for (int64_t y = (int64_t)fmax(top, 0); y < height && (double)y < bottom; y++)
        for (int64_t x = (int64_t)fmax(left, 0); x < width && (double)x < right; x++) {
            double part = share(y, top, bottom) * share(x, left, right);
            sum += part * plane[y * width + x];
            area += part;
        }
    return area > 0 ? sum / area : 0;
}

/* As large as fits, in the middle, the rest dark. */
static void fit(const tn_picture *from, int64_t height, int64_t width, float *out)
{
    double step = fmax((double)from->height / (double)height, (double)from->width / (double)width);
    int64_t rows = (int64_t)fmax(1, fmin((double)height, floor((double)from->height / step + 0.5)));
    int64_t columns = (int64_t)fmax(1, fmin((double)width, floor((double)from->width / step + 0.5)));
    int64_t top = (height - rows) / 2, left = (width - columns) / 2;
    memset(out, 0, (size_t)(from->channels * height * width) * sizeof *out);
    for (int64_t c = 0; c < from->channels; c++)
        for (int64_t y = 0; y < rows; y++)
            for (int64_t x = 0; x < columns; x++) {
                const float *plane = from->level + c * from->height * from->width;
                double level = tn_area_mean(plane, from->height, from->width, (double)y * step, (double)x * step, step);
                out[(c * height + top + y) * width + left + x] = (float)level;
            }
}

static tn_status decode(const char *path, const char *content, uint64_t bytes, int64_t channels, tn_picture *picture)
{
    if (bytes > 8 && !png_sig_cmp((png_const_bytep)content, 0, 8))
        return read_png(path, content, bytes, channels, picture);
    if (bytes > 2 && content[0] == 'P' && (content[1] == '2' || content[1] == '5'))
        return read_pgm(path, content, bytes, channels, picture);
    if (bytes > 2 && !memcmp(content, "\xFF\xD8", 2)) return tn_image_levels(path, channels, picture);
    return tn_fail(TN_EFORMAT, "%s: is %s; expected a picture: PNG, JPEG or PGM (P2 or P5)", path,
                   bytes ? "no picture" : "empty");
}

tn_status tn_picture_decode(const char *path, int64_t channels, tn_picture *picture)
{
    tn_picture read = {0};
    char *content = NULL;
    uint64_t bytes = 0;
    TN_TRY(tn_read_whole(path, &content, &bytes));
    tn_status status = decode(path, content, bytes, channels, &read);
    tn_free(content);
    if (status)
        tn_free(read.level);
    else
        *picture = read;
    return status;
}

tn_status tn_picture_check(const char *path, const tn_shape *sample, int grey)
{
    char text[160];
    int64_t channels = sample->rank == 3 ? sample->dim[0] : 1;
    TN_REQUIRE((sample->rank == 2 || sample->rank == 3) && (channels == 1 || (channels == 3 && !grey)) &&
                   !tn_shape_check(sample) && tn_shape_count(sample) > 0,
               TN_ESHAPE, "%s: a%s picture does not fit samples of shape %s; expected (1, height, width)", path,
               grey ? " grey" : "", tn_shape_text(sample, text, sizeof text));
    return TN_OK;
}

tn_status tn_image_read_scaled(const char *path, const tn_shape *sample, float *out)
{
    TN_GIVEN(path, sample, out);
    tn_picture picture = {0};
    TN_TRY(tn_picture_check(path, sample, 0));
    TN_TRY(tn_picture_decode(path, sample->rank == 3 ? sample->dim[0] : 1, &picture));
    if (picture.channels == 1) invert_if_bright(&picture);
    fit(&picture, sample->dim[sample->rank - 2], sample->dim[sample->rank - 1], out);
    tn_free(picture.level);
    return TN_OK;
}
