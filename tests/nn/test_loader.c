/* Training on samples that are not on the device: to the bit what it is there, from memory and from a loader, for any
 * number of threads; and what is said of a sample that cannot be read. */
#include "check.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static const char *const devices[] = {"reference", "cpu", "opencl:0"};

enum { FEATURES = 5, CLASSES = 3, MOST = 401 };

static float features[MOST][FEATURES];
static uint8_t pixels[MOST][FEATURES];
static int32_t labels[MOST];

static int fill_all(void **state)
{
    (void)state;
    for (int i = 0; i < MOST; i++) {
        labels[i] = i * 7 % 11 % CLASSES;
        for (int k = 0; k < FEATURES; k++) {
            pixels[i][k] = (uint8_t)(i * 37 + k * 91 + labels[i] * 60);
            features[i][k] = (float)pixels[i][k] / 64 - 2;
        }
    }
    return 0;
}

/* ---- sources ---- */

/* What a source gives, and how it was treated. */
typedef struct source {
    int bytes, targets; /* u8 samples; labels come with them */
    int broken, worse;  /* samples that cannot be read; -1: none */
    int silent;         /* without a word */
    int slow;           /* microseconds that some samples take */
    atomic_int closed;
} source;

static tn_status fill(void *arg, int64_t index, void *x, void *target, tn_msg *msg)
{
    source *s = arg;
    if (s->slow && index % 3 == 0) nanosleep(&(struct timespec){.tv_nsec = s->slow * 1000L}, NULL);
    if (index == s->broken || index == s->worse) {
        if (!s->silent) snprintf(msg->text, msg->capacity, "tape %lld is torn", (long long)index);
        return TN_EIO;
    }
    if (s->bytes)
        memcpy(x, pixels[index], sizeof pixels[index]);
    else
        memcpy(x, features[index], sizeof features[index]);
    if (target) *(int32_t *)target = labels[index];
    return TN_OK;
}

static void closes(void *arg)
{
    ((source *)arg)->closed++;
}

static char shelf[] = "the shelf";

static tn_dataset in_memory(int count, int bytes)
{
    return (tn_dataset){.count = count,
                        .sample = TN_SHAPE(FEATURES),
                        .x_dtype = bytes ? TN_U8 : TN_F32,
                        .x = bytes ? (void *)pixels : features,
                        .label = labels,
                        .classes = CLASSES,
                        .source = shelf};
}

static tn_dataset from(source *s, int count)
{
    tn_dataset data = in_memory(count, s->bytes);
    const tn_source what = {fill, closes, s};
    data.x = NULL;
    if (s->targets) data.label = NULL;
    CHECK(tn_loader_new(&what, &data.loader));
    return data;
}

/* ---- a net whose result shows every bit of order, dropout and momentum ---- */

static tn_tensor *net(tn_tensor *x, int training, const void *arg)
{
    (void)arg;
    return tn_net(x, "linear 16, tanh, dropout 0.3, linear outputs",
                  (tn_net_options){.training = (uint32_t)training, .outputs = CLASSES});
}

typedef struct result {
    float weight[CLASSES * 16];
    tn_epoch last;
    tn_score score;
    float out[MOST * CLASSES];
} result;

static void train(const char *device, tn_residence how, const tn_dataset *data, const tn_dataset *test, int64_t batch,
                  result *r)
{
    tn_device *d = NULL;
    tn_state *state = NULL;
    const tn_model model = {.build = net, .loss = "cross_entropy", .data = how};
    const tn_fit_options options = {
        .epochs = 3, .batch = batch, .optimizer = "adam", .optim = {.lr = 0.05}, .test = test, .validation = data};
    memset(r, 0, sizeof *r);
    CHECK(tn_device_open(device, &d));
    CHECK(tn_state_new(d, 3, &state));
    CHECK(tn_fit(state, &model, data, &options, &r->last));
    CHECK(tn_state_read(state, "fc2.weight", r->weight, sizeof r->weight));
    CHECK(tn_evaluate(state, &model, test, &r->score));
    CHECK(tn_predict(state, &model, test, r->out, (uint64_t)test->count * CLASSES * sizeof(float)));
    tn_state_free(state);
    tn_device_close(d);
    r->last.seconds = 0;
}

static void check_same(const char *device, const result *a, const result *b, const char *what, int64_t batch)
{
    if (memcmp(a->weight, b->weight, sizeof a->weight) || memcmp(a->out, b->out, sizeof a->out) ||
        a->last.train.loss != b->last.train.loss || a->last.test.loss != b->last.test.loss ||
        a->last.validation.accuracy != b->last.validation.accuracy || a->score.loss != b->score.loss)
        fail_msg("%s, batches of %lld: %s: loss %.9g instead of %.9g, weight %.9g instead of %.9g", device,
                 (long long)batch, what, b->last.train.loss, a->last.train.loss, b->weight[0], a->weight[0]);
}

static int is_there(const char *device)
{
    tn_device *d = NULL;
    if (tn_device_open(device, &d)) return 0;
    tn_device_close(d);
    return 1;
}

/* ---- the same bits ---- */

/* Each size is other kernels, which an OpenCL driver compiles for long. */
static size_t stride(const char *device)
{
    return strncmp(device, "opencl", 6) ? 1 : 6;
}

static void fed_samples_give_the_same_bits(void **state)
{
    (void)state;
    static const struct {
        int count, tests;
        int64_t batch;
    } sizes[] = {{1, 1, 1}, {2, 1, 64}, {10, 3, 1}, {101, 7, 25}, {401, 401, 64}, {400, 399, 400}, {400, 5, 399}};
    static result want, got;
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes && is_there(devices[d]); i += stride(devices[d]))
            for (uint32_t threads = 0; threads < 6; threads += 2) {
                const int bytes = threads == 2;
                source s = {.bytes = bytes, .targets = threads == 4, .broken = -1, .worse = -1};
                tn_dataset memory = in_memory(sizes[i].count, bytes), test = in_memory(sizes[i].tests, bytes);
                tn_dataset loader = from(&s, sizes[i].count), tests = from(&s, sizes[i].tests);
                train(devices[d], (tn_residence){0}, &memory, &test, sizes[i].batch, &want);
                const tn_residence host = {.where = TN_RESIDENT_HOST, .threads = threads};
                train(devices[d], host, &memory, &test, sizes[i].batch, &got);
                check_same(devices[d], &want, &got, "from memory", sizes[i].batch);
                train(devices[d], host, &loader, &tests, sizes[i].batch, &got);
                check_same(devices[d], &want, &got, "from a loader", sizes[i].batch);
                train(devices[d], (tn_residence){.where = TN_RESIDENT_DEVICE}, &loader, &tests, sizes[i].batch, &got);
                check_same(devices[d], &want, &got, "from a loader to the device", sizes[i].batch);
                tn_loader_free(loader.loader);
                tn_loader_free(tests.loader);
                assert_int_equal(s.closed, 2);
            }
}

static void slow_samples_come_in_their_order(void **state)
{
    (void)state;
    static result want, got;
    source s = {.broken = -1, .worse = -1, .slow = 300};
    tn_dataset memory = in_memory(MOST, 0), loader = from(&s, MOST);
    train("cpu", (tn_residence){0}, &memory, &memory, 10, &want);
    train("cpu", (tn_residence){.where = TN_RESIDENT_HOST, .threads = 7}, &loader, &loader, 10, &got);
    check_same("cpu", &want, &got, "from a slow loader", 10);
    tn_loader_free(loader.loader);
}

/* Epochs that were left in the middle begin there again. */
static void a_fed_training_goes_on_where_it_stood(void **state)
{
    (void)state;
    source s = {.broken = -1, .worse = -1};
    tn_dataset memory = in_memory(100, 0), loader = from(&s, 100);
    const tn_model here = {.build = net, .loss = "cross_entropy"};
    const tn_model fed = {.build = net, .loss = "cross_entropy", .data = {.where = TN_RESIDENT_HOST, .threads = 3}};
    const tn_fit_options options = {.epochs = 2, .batch = 8, .optim = {.lr = 0.1}};
    tn_epoch end, begun, past;
    tn_device *d = NULL;
    CHECK(tn_device_open("cpu", &d));
    float want[CLASSES], got[CLASSES];
    for (int step = 0; step < 26; step += 5) {
        tn_state *a = NULL, *b = NULL;
        tn_training *first = NULL, *second = NULL;
        CHECK(tn_state_new(d, 3, &a));
        CHECK(tn_state_new(d, 3, &b));
        CHECK(tn_fit(a, &here, &memory, &options, NULL));
        CHECK(tn_training_new(b, &fed, &loader, &options, &first));
        for (int i = 0; i < step; i++) {
            CHECK(tn_training_step(first));
            if (tn_training_where(first).step == 13) CHECK(tn_training_end_epoch(first, &past));
        }
        CHECK(tn_training_so_far(first, &begun));
        tn_training_free(first);
        CHECK(tn_training_new(b, &fed, &loader, &options, &second));
        CHECK(tn_training_go_on(second, &past, step / 13, step % 13, step % 13 ? &begun : NULL));
        while (!tn_training_where(second).finished) {
            while (tn_training_where(second).step < 13) CHECK(tn_training_step(second));
            CHECK(tn_training_end_epoch(second, &end));
        }
        CHECK(tn_state_read(a, "fc2.bias", want, sizeof want));
        CHECK(tn_state_read(b, "fc2.bias", got, sizeof got));
        assert_memory_equal(want, got, sizeof want);
        tn_training_free(second);
        tn_state_free(a);
        tn_state_free(b);
    }
    tn_device_close(d);
    tn_loader_free(loader.loader);
}

/* ---- where they are ---- */

static void a_budget_decides_what_is_fed(void **state)
{
    (void)state;
    static const struct {
        tn_residence how;
        uint32_t fed;
    } cases[] = {{{0}, 0},
                 {{.memory = 4800}, 0}, /* 100 samples of 20 and 4 bytes, for training and for testing */
                 {{.memory = 4799}, 1},
                 {{.where = TN_RESIDENT_DEVICE, .memory = 1}, 0},
                 {{.where = TN_RESIDENT_HOST}, 1}};
    tn_dataset data = in_memory(100, 0);
    const tn_fit_options options = {.epochs = 1, .batch = 8, .test = &data};
    tn_device *d = NULL;
    CHECK(tn_device_open("cpu", &d));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_state *s = NULL;
        tn_training *t = NULL;
        tn_feeding feeding = {0};
        const tn_model model = {.build = net, .loss = "cross_entropy", .data = cases[i].how};
        CHECK(tn_state_new(d, 3, &s));
        CHECK(tn_training_new(s, &model, &data, &options, &t));
        tn_training_get_feeding(t, &feeding);
        assert_int_equal(feeding.fed, cases[i].fed);
        assert_int_equal(feeding.threads, cases[i].fed);
        assert_int_equal(feeding.bytes, 4800);
        tn_training_free(t);
        tn_state_free(s);
    }
    tn_device_close(d);
}

static void parts_of_a_loader_are_parts_of_its_samples(void **state)
{
    (void)state;
    source s = {.broken = -1, .worse = -1, .targets = 0};
    tn_dataset loader = from(&s, 50), memory = in_memory(50, 0), part = {0}, want = {0};
    float x[FEATURES];
    int32_t label;
    loader.label = malloc(sizeof labels);
    memcpy(loader.label, labels, sizeof labels);
    loader.source = NULL;
    memory.x = malloc(sizeof features);
    memcpy(memory.x, features, sizeof features);
    memory.label = malloc(sizeof labels);
    memcpy(memory.label, labels, sizeof labels);
    memory.source = NULL;
    CHECK(tn_dataset_split(&loader, 0.3, 7, &part));
    CHECK(tn_dataset_split(&memory, 0.3, 7, &want));
    tn_dataset_limit(&loader, 20);
    const tn_dataset *pairs[][2] = {{&part, &want}, {&loader, &memory}};
    for (int p = 0; p < 2; p++)
        for (int64_t i = 0; i < pairs[p][0]->count; i++) {
            CHECK(tn_dataset_sample(pairs[p][0], i, x, &label));
            assert_memory_equal(x, (float *)pairs[p][1]->x + i * FEATURES, sizeof x);
            assert_int_equal(label, pairs[p][1]->label[i]);
        }
    assert_int_equal(tn_dataset_sample(&part, part.count, x, NULL), TN_EINVAL);
    tn_dataset_free(&part);
    assert_int_equal(s.closed, 0);
    tn_dataset_free(&loader);
    assert_int_equal(s.closed, 1);
    tn_dataset_free(&want);
    tn_dataset_free(&memory);
}

/* ---- what cannot be read ---- */

static tn_status fit_broken(const char *device, source *s, uint32_t where, int64_t batch)
{
    tn_device *d = NULL;
    tn_state *state = NULL;
    tn_dataset data = from(s, MOST);
    const tn_model model = {.build = net, .loss = "cross_entropy", .data = {.where = where, .threads = 5}};
    const tn_fit_options options = {.epochs = 2, .batch = batch};
    CHECK(tn_device_open(device, &d));
    CHECK(tn_state_new(d, 3, &state));
    tn_status status = tn_fit(state, &model, &data, &options, NULL);
    tn_state_free(state);
    tn_device_close(d);
    tn_loader_free(data.loader);
    return status;
}

/* Whichever thread is the first to find one: the first in the order counts. */
static void a_sample_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    char first[200] = "";
    for (int round = 0; round < 20; round++) {
        source s = {.broken = 200, .worse = 250, .slow = round % 2 * 50};
        assert_int_equal(fit_broken("cpu", &s, TN_RESIDENT_HOST, round < 10 ? 400 : 16), TN_EIO);
        check_message("a broken sample", "the shelf: sample 2");
        check_message("a broken sample", "is torn");
        if (round % 10 == 0) snprintf(first, sizeof first, "%s", tn_message());
        assert_string_equal(first, tn_message());
    }
    source s = {.broken = 250, .worse = 200};
    assert_int_equal(fit_broken("cpu", &s, TN_RESIDENT_DEVICE, 16), TN_EIO);
    check_message("a broken sample", "the shelf: sample 200: tape 200 is torn");
    assert_int_equal(s.closed, 1);
    s.silent = 1;
    assert_int_equal(fit_broken("cpu", &s, TN_RESIDENT_DEVICE, 16), TN_EIO);
    check_message("a broken sample of which nothing is said", "the shelf: sample 200: TN_EIO");
}

static void a_label_that_comes_with_its_sample_is_checked(void **state)
{
    (void)state;
    source s = {.broken = -1, .worse = -1, .targets = 1};
    labels[77] = CLASSES;
    assert_int_equal(fit_broken("cpu", &s, TN_RESIDENT_HOST, 16), TN_EINVAL);
    check_message("a wrong label, shuffled", "the shelf: sample 77: label 0 is 3, but there are 3 classes");
    assert_int_equal(fit_broken("cpu", &s, TN_RESIDENT_DEVICE, 16), TN_EINVAL);
    check_message("a wrong label", "the shelf: sample 77: label 0 is 3, but there are 3 classes");
    labels[77] = 0;
    assert_int_equal(fit_broken("cpu", &s, TN_RESIDENT_HOST, 16), TN_OK);
}

static void samples_that_are_to_be_nowhere_are_refused(void **state)
{
    (void)state;
    source s = {.broken = -1, .worse = -1};
    assert_int_equal(fit_broken("cpu", &s, TN_RESIDENT_HOST + 1, 16), TN_EINVAL);
    check_message("a place that is none", "the model's data.where is 3");
}

static void a_source_without_fill_is_none(void **state)
{
    (void)state;
    tn_loader *loader = NULL;
    assert_int_equal(tn_loader_new(&(tn_source){0}, &loader), TN_EINVAL);
    assert_null(loader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fed_samples_give_the_same_bits),
        cmocka_unit_test(slow_samples_come_in_their_order),
        cmocka_unit_test(a_fed_training_goes_on_where_it_stood),
        cmocka_unit_test(a_budget_decides_what_is_fed),
        cmocka_unit_test(parts_of_a_loader_are_parts_of_its_samples),
        cmocka_unit_test(a_sample_that_cannot_be_read_is_named),
        cmocka_unit_test(a_label_that_comes_with_its_sample_is_checked),
        cmocka_unit_test(samples_that_are_to_be_nowhere_are_refused),
        cmocka_unit_test(a_source_without_fill_is_none),
    };
    return cmocka_run_group_tests(tests, fill_all, NULL);
}
