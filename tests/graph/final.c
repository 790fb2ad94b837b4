/* final.c: when what a program assigns is final. At each point the bytes are what they are after the run, a launch
 * before it they are not; and a backward pass has points long before its end. */
#include "harness.h"

#include <string.h>

#include "final.h"
#include "leaf.h"

static const char *const devices[] = {"reference", "cpu", "opencl:0"};

/* ---- graphs: each assigns "v" ---- */

enum { ROWS = 6, WIDTH = 40, LAYERS = 5, MOST = 16384 };

static tn_tensor *input(tn_graph *g)
{
    return tn_input(g, "x", TN_F32, TN_SHAPE(ROWS, WIDTH));
}

static tn_tensor *variable(tn_graph *g, const char *name, tn_shape shape)
{
    return tn_variable(g, name, TN_F32, shape, (tn_init){.kind = TN_INIT_ZERO}, TN_TRANSIENT);
}

/* The gradients of layers, packed as they are, in twos, or by themselves. */
static tn_tensor *network(tn_graph *g, tn_tensor *gradient[LAYERS])
{
    tn_tensor *w[LAYERS], *x = input(g);
    for (int i = 0; i < LAYERS; i++) {
        char name[8] = {'w', (char)('0' + i)};
        w[i] = tn_param(g, name, TN_SHAPE(WIDTH, WIDTH), (tn_init){.kind = TN_INIT_NORMAL, .a = 0.3});
        x = tn_tanh(tn_matmul(x, w[i]));
    }
    tn_tensor *loss = tn_mean(tn_square(x), TN_ALL, 0);
    tn_grad(loss, w, LAYERS, gradient);
    return loss;
}

static void all_gradients(tn_graph *g)
{
    tn_tensor *part[LAYERS + 1];
    part[LAYERS] = network(g, part);
    tn_tensor *pack = tn_pack(part, LAYERS + 1);
    tn_assign(variable(g, "v", tn_shape_of(pack)), pack);
}

/* A variable to which nothing but packs is assigned: they are made in it. */
static tn_tensor *packs_alone(tn_graph *g, tn_shape shape)
{
    return tn_variable(g, "v", TN_F32, shape, (tn_init){.kind = TN_INIT_ZERO}, TN_TRANSIENT | TN_PACKS_ALONE);
}

static void made_there(tn_graph *g)
{
    tn_tensor *part[LAYERS + 1];
    part[LAYERS] = network(g, part);
    tn_tensor *pack = tn_pack((tn_tensor *[]){part[LAYERS], part[0], part[1], part[2], part[3], part[4]}, LAYERS + 1);
    tn_assign(packs_alone(g, tn_shape_of(pack)), pack);
}

/* What is made last, the first layer's, needs what the last layer's, which is made first, was before. */
static void made_elsewhere(tn_graph *g)
{
    tn_tensor *part[LAYERS], *v = packs_alone(g, TN_SHAPE(LAYERS * WIDTH * WIDTH));
    network(g, part);
    part[0] = tn_add(part[0], tn_part(v, (LAYERS - 1) * WIDTH * WIDTH, TN_SHAPE(WIDTH, WIDTH)));
    tn_assign(v, tn_pack(part, LAYERS));
}

/* The same gradient twice: the second is a copy. */
static void one_gradient_twice(tn_graph *g)
{
    tn_tensor *part[LAYERS];
    network(g, part);
    tn_tensor *pack = tn_pack((tn_tensor *[]){part[0], part[4], part[0]}, 3);
    tn_assign(variable(g, "v", tn_shape_of(pack)), pack);
}

/* The pack is used otherwise, too: what is assigned is no copy of it. */
static void twice_the_gradients(tn_graph *g)
{
    tn_tensor *part[LAYERS];
    network(g, part);
    tn_tensor *pack = tn_pack(part, LAYERS);
    tn_output(tn_sum(pack, TN_ALL, 0), "sum");
    tn_assign(variable(g, "v", tn_shape_of(pack)), tn_mul(pack, tn_number(pack, 2)));
}

/* Another variable gets the same pack. */
static void to_two_variables(tn_graph *g)
{
    tn_tensor *part[LAYERS];
    network(g, part);
    tn_tensor *pack = tn_pack(part, LAYERS);
    tn_assign(variable(g, "v", tn_shape_of(pack)), pack);
    tn_assign(variable(g, "u", tn_shape_of(pack)), tn_add(pack, tn_number(pack, 1)));
}

/* No pack: written in place, and read before. */
static void in_place(tn_graph *g)
{
    tn_tensor *x = input(g), *v = variable(g, "v", TN_SHAPE(ROWS, WIDTH));
    tn_assign(v, tn_add(v, tn_matmul_t(tn_matmul_t(x, x, 0, 1), x, 0, 0)));
    tn_output(tn_softmax(x, 1), "y");
}

static const struct {
    const char *name;
    void (*build)(tn_graph *g);
    int is_early; /* its first bytes are final before the last launches */
} cases[] = {{"all gradients", all_gradients, 1},
             {"made there", made_there, 1},
             {"made elsewhere", made_elsewhere, 1},
             {"one gradient twice", one_gradient_twice, 1},
             {"twice the gradients", twice_the_gradients, 0},
             {"to two variables", to_two_variables, 1},
             {"in place", in_place, 0}};

/* ---- what is seen ---- */

/* Bytes of v as they are at a point, and the point. */
typedef struct look {
    tn_program *program;
    uint64_t begin, bytes;
    float seen[MOST];
} look;

static tn_status take(void *arg, uint32_t point)
{
    look *l = arg;
    tn_ref from;
    TN_MESSAGE(msg);
    const tn_device *device = l->program->state->device;
    assert_int_equal(point, 0);
    ok(tn_program_final_ref(l->program, "v", &from));
    from.offset += l->begin;
    ok(tn_device_status(device, device->backend->read(l->program->state->queue, l->seen, from, l->bytes, &msg), &msg));
    return tn_wait(l->program);
}

static void feed(tn_program *p, int turn)
{
    float x[ROWS * WIDTH];
    for (int i = 0; i < ROWS * WIDTH; i++) x[i] = (float)((i * 7 + 3 * turn) % 11 - 5) / 4;
    ok(tn_feed(p, "x", x, sizeof x));
}

/* Runs once more, and compares the bytes after so many launches with those at the end. */
static int is_final(look *l, uint32_t after, uint64_t all)
{
    static int turn;
    static float end[MOST];
    const tn_watch watch = {&after, 1, take, l};
    feed(l->program, ++turn);
    ok(tn_program_run_watched(l->program, &watch));
    ok(tn_state_read(l->program->state, "v", end, all));
    return !memcmp(l->seen, (const char *)end + l->begin, l->bytes);
}

/* Pieces of so many bytes. Returns the least number of launches after which one is final. */
static uint32_t look_at_pieces(tn_program *p, uint64_t all, uint64_t bytes, const char *name)
{
    static look l;
    uint32_t first = UINT32_MAX;
    for (uint64_t at = 0; at < all; at += bytes) {
        l = (look){.program = p, .begin = at, .bytes = all - at < bytes ? all - at : bytes};
        uint32_t after = tn_program_final(p, "v", at, at + l.bytes);
        if (!is_final(&l, after, all)) fail_msg("%s: bytes from %d on are not final after %u", name, (int)at, after);
        if (after && is_final(&l, after - 1, all))
            fail_msg("%s: bytes from %d on are final before %u", name, (int)at, after);
        if (after < first) first = after;
    }
    return first;
}

static void look_at_case(const char *device, size_t number, int unfused)
{
    tn_state_entry entry;
    tn_program *p = NULL;
    fixture f = use_device(device, 5);
    tn_graph *g = tn_graph_new();
    cases[number].build(g);
    ok(tn_compile(g, f.state, &(tn_compile_options){.unfused = (uint32_t)unfused}, &p));
    assert_true(tn_state_find(f.state, "v", &entry));
    uint64_t all = (uint64_t)tn_shape_count(&entry.shape) * sizeof(float);
    assert_true(all <= MOST * sizeof(float));
    look_at_pieces(p, all, all, cases[number].name);
    uint32_t first = look_at_pieces(p, all, WIDTH * WIDTH * sizeof(float) / 2, cases[number].name);
    if (cases[number].is_early && first + LAYERS > p->ir.launches)
        fail_msg("%s: the first bytes are final after %u of %u launches", cases[number].name, first, p->ir.launches);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void bytes_are_final_where_it_is_said_and_no_sooner(void **unused)
{
    tn_device *device;
    (void)unused;
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
        if (tn_device_open(devices[d], &device)) continue;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
            for (int unfused = 0; unfused < 2; unfused++) look_at_case(devices[d], i, unfused);
        tn_device_close(device);
    }
}

/* ---- in the variable ---- */

static uint32_t copies_to_state(const tn_program *p)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->ir.launches; i++) {
        const tn_launch *l = p->ir.launch[i];
        count += l->op == &tn_op_map && !l->operation.attrs.map.n_instr && l->out[0]->home == TN_IN_STATE;
    }
    return count;
}

static tn_program *compile(const fixture *f, void (*build)(tn_graph *g), uint32_t copies)
{
    tn_program *p = NULL;
    tn_graph *g = tn_graph_new();
    build(g);
    ok(tn_compile(g, f->state, NULL, &p));
    tn_graph_free(g);
    assert_int_equal(copies_to_state(p), copies);
    return p;
}

static void run_and_read(const fixture *f, tn_program *p, float *v, uint64_t count)
{
    feed(p, 0);
    ok(tn_program_run(p));
    ok(tn_state_read(f->state, "v", v, count * sizeof *v));
}

/* Between the loss, which is one number, and the first gradient there are zeros, in this run and in the next. */
static void a_pack_is_made_in_the_variable_that_it_is_assigned_to(void **unused)
{
    (void)unused;
    static float v[MOST];
    fixture f = use_device("cpu", 5);
    tn_program *p = compile(&f, made_there, 0);
    for (int turn = 0; turn < 2; turn++) {
        run_and_read(&f, p, v, TN_PACK_STEP + LAYERS * WIDTH * WIDTH);
        assert_true(v[0] != 0 && v[TN_PACK_STEP] != 0);
        for (int i = 1; i < TN_PACK_STEP; i++) assert_true(v[i] == 0);
    }
    tn_program_free(p);
    drop_device(&f);
}

static void a_pack_is_made_elsewhere_if_the_variable_is_read(void **unused)
{
    (void)unused;
    enum { ALL = LAYERS * WIDTH * WIDTH, LAST = ALL - WIDTH * WIDTH };
    static float once[ALL], twice[ALL];
    fixture f = use_device("cpu", 5);
    tn_program *p = compile(&f, made_elsewhere, 1);
    run_and_read(&f, p, once, ALL);
    run_and_read(&f, p, twice, ALL);
    for (int i = 0; i < WIDTH * WIDTH; i++) assert_true(twice[i] == once[i] + once[LAST + i]);
    tn_program_free(p);
    drop_device(&f);
}

/* ---- points ---- */

typedef struct record {
    uint32_t point[8], count, fails_at;
} record;

static tn_status note(void *arg, uint32_t point)
{
    record *r = arg;
    r->point[r->count++] = point;
    return r->count == r->fails_at ? TN_EDEVICE : TN_OK;
}

static void points_come_in_order_and_what_one_fails_with_ends_the_run(void **unused)
{
    (void)unused;
    fixture f = use_device("cpu", 5);
    tn_program *p = NULL;
    tn_graph *g = tn_graph_new();
    all_gradients(g);
    ok(tn_compile(g, f.state, NULL, &p));
    feed(p, 0);
    const uint32_t after[] = {0, 0, 2, 2, p->ir.launches};
    record all = {.fails_at = 0}, failed = {.fails_at = 3};
    ok(tn_program_run_watched(p, &(tn_watch){after, 5, note, &all}));
    assert_int_equal(all.count, 5);
    for (uint32_t i = 0; i < 5; i++) assert_int_equal(all.point[i], i);
    assert_int_equal(tn_program_run_watched(p, &(tn_watch){after, 5, note, &failed}), TN_EDEVICE);
    assert_int_equal(failed.count, 3);
    ok(tn_program_run(p));
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

/* What is final is there, and the variable, which is assigned by a copy at the very end, is as it was. */
static void a_run_can_end_at_its_last_point(void **unused)
{
    (void)unused;
    static look l;
    static float v[MOST], zeros[MOST];
    fixture f = use_device("cpu", 5);
    tn_graph *g = tn_graph_new();
    all_gradients(g);
    ok(tn_compile(g, f.state, NULL, &l.program));
    feed(l.program, 1);
    l.bytes = WIDTH * WIDTH * LAYERS * sizeof(float);
    const uint32_t after = tn_program_final(l.program, "v", 0, l.bytes);
    const uint64_t all = l.bytes + sizeof(float);
    ok(tn_program_run_watched(l.program, &(tn_watch){&after, 1, take, &l, .ends = 1}));
    ok(tn_state_read(f.state, "v", v, all));
    assert_memory_equal(v, zeros, all);
    ok(tn_program_run(l.program));
    ok(tn_state_read(f.state, "v", v, all));
    assert_memory_equal(v, l.seen, l.bytes);
    tn_program_free(l.program);
    tn_graph_free(g);
    drop_device(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_final_where_it_is_said_and_no_sooner),
        cmocka_unit_test(a_pack_is_made_in_the_variable_that_it_is_assigned_to),
        cmocka_unit_test(a_pack_is_made_elsewhere_if_the_variable_is_read),
        cmocka_unit_test(a_run_can_end_at_its_last_point),
        cmocka_unit_test(points_come_in_order_and_what_one_fails_with_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
