/* text_data.c: texts whose bytes or characters are learnt: which one comes next. The text is in memory once, samples
 * are made of it as they are needed. */
#include "text_data.h"

#include <string.h>

#include "alloc.h"
#include "alphabet.h"
#include "error.h"
#include "given.h"
#include "inflow.h"
#include "utf8.h"

enum { BYTES = 256, TEST_PART = 10, AT_ONCE = 1 << 20, MOST_CONTEXT = 1 << 20 };

/* A text, or a part of it: what a source has. */
typedef struct text {
    char *at;
    int64_t length, context;
    int32_t *number; /* of each character, `length` of them, in place of `at`; or NULL: bytes */
} text;

/* ---- reading ---- */

static tn_status read_all(tn_inflow *in, const char *path, text *t)
{
    uint32_t room = 0;
    for (uint64_t got = AT_ONCE; got == AT_ONCE; t->length += (int64_t)got) {
        TN_REQUIRE(t->length < INT32_MAX - AT_ONCE - 1, TN_EFORMAT,
                   "%s: a text of 2 GiB or more; parts of it can be learnt", path);
        TN_TRY(tn_grow(&t->at, &room, (uint32_t)t->length + AT_ONCE + 1, 1));
        TN_TRY(tn_inflow_read(in, t->at + t->length, &got));
    }
    t->at[t->length] = 0;
    return TN_OK;
}

/* Without a mark of the byte order, and with line ends of one byte. */
static void normalise(text *t)
{
    const int64_t length = t->length;
    int64_t from = length >= 3 && !memcmp(t->at, "\xef\xbb\xbf", 3) ? 3 : 0;
    for (t->length = 0; from < length; from++)
        if (t->at[from] != '\r' || t->at[from + 1] != '\n') t->at[t->length++] = t->at[from];
    t->at[t->length] = 0;
}

static tn_status check_encoding(const text *t, const char *path)
{
    int64_t line = 1;
    for (int64_t i = 0; i < t->length;) {
        TN_REQUIRE(t->at[i], TN_EFORMAT, "%s: line %lld has a byte 0, which texts have none of", path, (long long)line);
        const size_t length = tn_utf8_length(t->at + i);
        TN_REQUIRE(length, TN_EFORMAT,
                   "%s: line %lld has a byte that is no UTF-8, as texts are: a program such as iconv makes it so", path,
                   (long long)line);
        line += t->at[i] == '\n';
        i += (int64_t)length;
    }
    return TN_OK;
}

static tn_status read_text(const char *path, text *t)
{
    tn_inflow in = {0};
    TN_TRY(tn_inflow_open(path, &in));
    tn_status status = read_all(&in, path, t);
    tn_inflow_close(&in);
    if (status) return status;
    normalise(t);
    return check_encoding(t, path);
}

/* ---- samples ---- */

static int32_t number_at(const text *t, int64_t i)
{
    return t->number ? t->number[i] : (unsigned char)t->at[i];
}

static tn_status fill(void *arg, int64_t index, void *x, void *target, tn_msg *msg)
{
    const text *t = arg;
    const int64_t from = index * t->context;
    float *token = x;
    int32_t *label = target;
    (void)msg;
    for (int64_t i = 0; i < t->context; i++) token[i] = (float)number_at(t, from + i);
    for (int64_t i = 0; label && i < t->context; i++) label[i] = number_at(t, from + i + 1);
    return TN_OK;
}

static void close_text(void *arg)
{
    text *t = arg;
    tn_free(t->number);
    tn_free(t->at);
    tn_free(t);
}

static tn_status copy(const text *part, text *t)
{
    t->at = tn_alloc((size_t)part->length + 1);
    if (t->at) memcpy(t->at, part->at, (size_t)part->length);
    return t->at ? TN_OK : TN_ENOMEM;
}

/* The characters' numbers. */
static tn_status number(const text *part, const tn_alphabet *alphabet, text *t)
{
    int64_t bytes;
    t->length = 0;
    t->number = tn_alloc((size_t)(part->length + 1) * sizeof *t->number);
    for (int64_t i = 0; t->number && i < part->length; i += bytes)
        t->number[t->length++] = tn_alphabet_number(alphabet, part->at + i, &bytes);
    return t->number ? TN_OK : TN_ENOMEM;
}

static tn_status check_length(const text *t, const char *path, const char *what)
{
    TN_REQUIRE(t->length > t->context, TN_EFORMAT,
               "%s: %s %lld %s, and a context of %lld takes one more than that at least", path, what,
               (long long)t->length, t->number ? "characters" : "bytes", (long long)t->context);
    return TN_OK;
}

/* A source of a copy of the part, in samples. */
static tn_status make_loader(const text *part, const tn_alphabet *alphabet, const char *path, const char *what,
                             int64_t *count, tn_loader **loader)
{
    text *t = tn_alloc(sizeof *t);
    if (!t) return TN_ENOMEM;
    *t = (text){.length = part->length, .context = part->context};
    tn_status status = alphabet ? number(part, alphabet, t) : copy(part, t);
    if (!status) status = check_length(t, path, what);
    if (!status) *count = (t->length - 1) / t->context;
    if (!status) status = tn_loader_new(&(tn_source){.fill = fill, .close = close_text, .arg = t}, loader);
    if (status) close_text(t);
    return status;
}

static tn_status make_set(const text *part, const tn_alphabet *alphabet, const char *path, const char *what,
                          tn_dataset *data)
{
    *data = (tn_dataset){.sample = TN_SHAPE(part->context),
                         .x_dtype = TN_F32,
                         .classes = alphabet ? (int64_t)alphabet->count + 1 : BYTES,
                         .labels = part->context};
    data->source = tn_strdup(path);
    if (alphabet) data->class_names = tn_alphabet_lines(alphabet);
    if (!data->source || (alphabet && !data->class_names)) return TN_ENOMEM;
    return make_loader(part, alphabet, path, what, &data->count, &data->loader);
}

/* Where the last tenth begins, at the beginning of a character. */
static int64_t end_of_training(const text *t)
{
    int64_t at = t->length - t->length / TEST_PART;
    while (at < t->length && ((unsigned char)t->at[at] & 0xc0) == 0x80) at++;
    return at;
}

/* What was given, or found in the part that is learnt. */
static tn_status open_alphabet(const char *given, const char *path, const text *learn, tn_alphabet *alphabet)
{
    if (!given) return TN_OK;
    return *given ? tn_alphabet_read(given, alphabet) : tn_alphabet_find(path, learn->at, learn->length, alphabet);
}

tn_status tn_text_open(const char *path, int64_t context, const char *alphabet, tn_dataset *train, tn_dataset *test)
{
    text all = {.context = context};
    tn_alphabet found = {0};
    TN_REQUIRE(context >= 2 && context <= MOST_CONTEXT, TN_EINVAL, "%s: a context of %lld %s; it takes 2 to %d", path,
               (long long)context, alphabet ? "characters" : "bytes", MOST_CONTEXT);
    tn_status status = read_text(path, &all);
    const int64_t cut = status || !test ? all.length : end_of_training(&all);
    const text learn = {.at = all.at, .length = cut, .context = context},
               judge = {.at = all.at + cut, .length = all.length - cut, .context = context};
    const tn_alphabet *by = alphabet ? &found : NULL;
    if (!status) status = open_alphabet(alphabet, path, &learn, &found);
    if (!status) status = make_set(&learn, by, path, test ? "its first nine tenths have" : "has", train);
    if (!status && test) status = make_set(&judge, by, path, "its last tenth, which is for testing, has", test);
    tn_alphabet_free(&found);
    tn_free(all.at);
    return status;
}

tn_status tn_dataset_text(const char *path, int64_t context, tn_dataset *data)
{
    TN_GIVEN(path, data);
    tn_dataset made = {0};
    tn_status status = tn_text_open(path, context, NULL, &made, NULL);
    if (status)
        tn_dataset_free(&made);
    else
        *data = made;
    return status;
}
