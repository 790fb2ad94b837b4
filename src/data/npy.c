/* npy.c: NumPy's arrays (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): "\x93NUMPY", a
 * version, the length of a header, the header as a Python dictionary, the elements. Nothing is allocated before the
 * shape has been checked against the number of bytes that are there. */
#include "npy.h"

#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "archive.h"
#include "element.h"
#include "error.h"
#include "given.h"
#include "order.h"
#include "read.h"
#include "rows.h"
#include "shape.h"

#define MOST_HEADER 65536
#define CHUNK       65520 /* bytes converted at once: a multiple of every element's size */

/* The header, and how its elements become ours. */
struct layout {
    tn_element element;
    int fortran; /* the first dimension is the innermost */
    tn_shape shape;
};

static tn_status refuse(const tn_npy_source *source, const char *why)
{
    return tn_fail(TN_EFORMAT, "%s%s%s: %s", source->path, *source->member ? ": " : "", source->member, why);
}

/* ---- the header ---- */

static void skip_spaces(const char **at)
{
    *at += strspn(*at, " \t\r\n");
}

/* Steps over a character that must come next, and spaces round it. */
static int take(const char **at, char c)
{
    skip_spaces(at);
    if (**at != c) return 0;
    ++*at;
    skip_spaces(at);
    return 1;
}

/* A text in quotes of either kind, without any inside. */
static int take_text(const char **at, char text[16])
{
    skip_spaces(at);
    char quote = **at;
    if (quote != '\'' && quote != '"') return 0;
    size_t length = strcspn(*at + 1, "'\"");
    if (length > 15 || (*at)[1 + length] != quote) return 0;
    memcpy(text, *at + 1, length);
    text[length] = 0;
    *at += length + 2;
    return 1;
}

/* "<f4" and the like. */
static int read_descr(const char *text, struct layout *layout)
{
    static const struct {
        char kind, sizes[5];
        int32_t dtype;
    } types[] = {
        {'u', "1", TN_U8}, {'u', "248", TN_I32}, {'i', "1248", TN_I32}, {'b', "1", TN_I32}, {'f', "248", TN_F32}};
    if (!text[0] || !strchr("<>|=", text[0]) || !text[1] || !text[2] || text[3]) return 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].kind != text[1] || !strchr(types[i].sizes, text[2])) continue;
        layout->element = (tn_element){text[1], text[2] - '0', text[0] == '>', types[i].dtype};
        return 1;
    }
    return 0;
}

static int take_truth(const char **at, int *value)
{
    *value = !strncmp(*at, "True", 4);
    if (!*value && strncmp(*at, "False", 5)) return 0;
    *at += *value ? 4 : 5;
    return 1;
}

/* "(3, 4)", "(3,)" or "()". */
static int take_shape(const char **at, tn_shape *shape)
{
    if (!take(at, '(')) return 0;
    while (!take(at, ')')) {
        size_t digits = strspn(*at, "0123456789");
        if (!digits || digits > 15 || shape->rank == TN_MAX_RANK) return 0;
        int64_t size = 0;
        for (size_t i = 0; i < digits; i++) size = 10 * size + *(*at)++ - '0';
        if (**at == 'L') ++*at; /* Python 2 */
        shape->dim[shape->rank++] = size;
        if (!take(at, ',') && **at != ')') return 0;
    }
    return 1;
}

/* One of the three entries; NULL, or what is wrong. */
static const char *take_entry(const char **at, struct layout *layout, int *seen)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    char key[16], descr[16];
    int which = 0;
    if (!take_text(at, key) || !take(at, ':')) return "its header is no dictionary of Python";
    while (which < 3 && strcmp(key, keys[which])) which++;
    if (which == 3 || *seen & 1 << which) return "its header has an entry that is not expected";
    *seen |= 1 << which;
    if (which == 0 && !take_text(at, descr)) return "its elements are no plain numbers";
    if (which == 0 && !read_descr(descr, layout))
        return "its elements are of a type that is not read: expected bool, integers, f2, f4 or f8";
    if (which == 1 && !take_truth(at, &layout->fortran)) return "its fortran_order is neither True nor False";
    if (which == 2 && !take_shape(at, &layout->shape)) return "its shape is none, or has too many dimensions";
    return NULL;
}

static tn_status parse_header(const tn_npy_source *source, const char *text, struct layout *layout)
{
    int seen = 0;
    if (!take(&text, '{')) return refuse(source, "its header is no dictionary of Python");
    while (!take(&text, '}')) {
        const char *wrong = take_entry(&text, layout, &seen);
        if (wrong) return refuse(source, wrong);
        if (!take(&text, ',') && *text != '}') return refuse(source, "its header is no dictionary of Python");
    }
    if (*text) return refuse(source, "something follows the dictionary in its header");
    return seen == 7 ? TN_OK : refuse(source, "its header lacks descr, fortran_order or shape");
}

/* Reads up to the elements; *left is how many bytes there are from there on. */
static tn_status read_layout(tn_npy_source *source, struct layout *layout, uint64_t *left)
{
    uint8_t head[12] = {0};
    uint64_t used = 10;
    if (source->bytes < used) return refuse(source, "is too short for an array of NumPy");
    TN_TRY(source->read(source, head, used));
    if (memcmp(head, "\x93NUMPY", 6)) return refuse(source, "is no array of NumPy");
    if (head[6] < 1 || head[6] > 3) return refuse(source, "is of a version that is not known");
    uint64_t length = tn_bytes_get(head + 8, 2, 0);
    if (head[6] > 1) {
        if (source->bytes < 12) return refuse(source, "is cut short");
        TN_TRY(source->read(source, head + 10, 2));
        length = tn_bytes_get(head + 8, 4, 0);
        used = 12;
    }
    if (length > MOST_HEADER) return refuse(source, "its header is absurdly long");
    if (length > source->bytes - used) return refuse(source, "is cut short within its header");
    char *text = tn_alloc(length + 1);
    if (!text) return TN_ENOMEM;
    tn_status status = source->read(source, text, length);
    if (!status && memchr(text, 0, length)) status = refuse(source, "its header is no text");
    if (!status) status = parse_header(source, text, layout);
    tn_free(text);
    *left = source->bytes - used - length;
    return status;
}

static tn_status check_size(const tn_npy_source *source, const struct layout *layout, uint64_t have)
{
    char text[160];
    tn_shape_text(&layout->shape, text, sizeof text);
    TN_REQUIRE(!tn_shape_check(&layout->shape), TN_EFORMAT, "%s: absurd dimensions %s", source->path, text);
    uint64_t need = (uint64_t)tn_shape_count(&layout->shape) * (uint64_t)layout->element.size;
    TN_REQUIRE(have == need, TN_EFORMAT, "%s%s%s: %s: elements of %s need %llu bytes, found %llu", source->path,
               *source->member ? ": " : "", source->member, have < need ? "is cut short" : "has bytes too many", text,
               (unsigned long long)need, (unsigned long long)have);
    return TN_OK;
}

/* ---- elements ---- */

static tn_status read_elements(tn_npy_source *source, const struct layout *layout, char *to)
{
    uint8_t chunk[CHUNK];
    char why[TN_ELEMENT_TEXT];
    const tn_element *e = &layout->element;
    int64_t count = tn_shape_count(&layout->shape), most = CHUNK / e->size;
    if (tn_element_is_ours(e)) return source->read(source, to, (uint64_t)(count * e->size));
    for (int64_t done = 0; done < count;) {
        int64_t now = count - done < most ? count - done : most;
        TN_TRY(source->read(source, chunk, (uint64_t)(now * e->size)));
        const char *wrong = tn_element_convert(e, chunk, now, to + (uint64_t)done * tn_dtype_size(e->dtype), why);
        if (wrong) return refuse(source, wrong);
        done += now;
    }
    return TN_OK;
}

/* Elements that lie with the first dimension innermost, put in our order. */
static tn_status reorder(const struct layout *layout, void **data)
{
    const tn_shape *shape = &layout->shape;
    size_t size = tn_dtype_size(layout->element.dtype);
    int64_t count = tn_shape_count(shape);
    char *to = tn_alloc((size_t)count * size);
    if (!to) return TN_ENOMEM;
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i, place = 0;
        for (int32_t d = 0; d < shape->rank; d++) {
            int64_t stride = 1;
            for (int32_t k = d + 1; k < shape->rank; k++) stride *= shape->dim[k];
            place += rest % shape->dim[d] * stride;
            rest /= shape->dim[d];
        }
        memcpy(to + (size_t)place * size, (char *)*data + (size_t)i * size, size);
    }
    tn_free(*data);
    *data = to;
    return TN_OK;
}

tn_status tn_npy_parse(tn_npy_source *source, tn_array *array)
{
    struct layout layout = {0};
    uint64_t left = 0;
    TN_TRY(read_layout(source, &layout, &left));
    TN_TRY(check_size(source, &layout, left));
    void *data = tn_alloc((size_t)tn_shape_count(&layout.shape) * tn_dtype_size(layout.element.dtype));
    if (!data) return TN_ENOMEM;
    tn_status status = read_elements(source, &layout, data);
    if (!status && layout.fortran && layout.shape.rank > 1) status = reorder(&layout, &data);
    if (status)
        tn_free(data);
    else
        *array = (tn_array){layout.element.dtype, layout.shape, data};
    return status;
}

/* ---- files ---- */

static tn_status read_file(tn_npy_source *source, void *to, uint64_t bytes)
{
    uint64_t got = bytes;
    TN_TRY(tn_read_some(*(int *)source->handle, source->path, to, &got));
    TN_REQUIRE(got == bytes, TN_EIO, "%s: became shorter while it was read", source->path);
    return TN_OK;
}

tn_status tn_npy_rows(tn_rows *rows, uint64_t begin, uint64_t bytes)
{
    struct layout layout = {0};
    uint64_t left = 0;
    tn_npy_source source = {
        .path = rows->path, .member = rows->member, .handle = &rows->fd, .read = read_file, .bytes = bytes};
    TN_REQUIRE(lseek(rows->fd, (off_t)begin, SEEK_SET) >= 0, TN_EIO, "%s: cannot be read", rows->path);
    TN_TRY(read_layout(&source, &layout, &left));
    TN_TRY(check_size(&source, &layout, left));
    if (layout.fortran && layout.shape.rank > 1)
        return tn_fail(TN_EUNSUPPORTED, "%s: its rows lie across the whole file (fortran_order): it is read whole",
                       rows->path);
    rows->begin = begin + bytes - left;
    rows->element = layout.element;
    rows->shape = layout.shape;
    return TN_OK;
}

tn_status tn_array_read(const char *path, const char *member, tn_array *array)
{
    TN_GIVEN(path, array);
    int fd = -1;
    tn_npy_source source = {.path = path, .member = "", .handle = &fd, .read = read_file};
    if (tn_archive_is(path)) return tn_archive_read(path, member, array);
    TN_REQUIRE(!member, TN_EMISSING, "%s: is no archive, and has no array '%s'", path, member);
    TN_TRY(tn_open_regular(path, &fd, &source.bytes));
    tn_status status = tn_npy_parse(&source, array);
    close(fd);
    return status;
}

void tn_array_free(tn_array *array)
{
    if (!array) return;
    tn_free(array->data);
    *array = (tn_array){0};
}
