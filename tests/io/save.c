/* save.c: states into files: their bytes, and that a file is whole whatever happens. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "fake_state.h"
#include "near.h"
#include "scratch.h"
#include "tenon/graph.h"
#include "tenon/state.h"

#define KILLS 60
#define LARGE 100000 /* elements of the tensor that is written while killed */

/* One tensor of each type, out of the order of their sizes, and one that is not saved. */
static tn_state *some_state(void)
{
    static const float weight[6] = {1, -2, 0.5f, 3, 4, -0.0f};
    static const uint8_t mask[3] = {7, 8, 255}, half[2] = {0, 0x3c};
    static const int32_t count = -2;
    static const double scale = 1;
    tn_state *state = NULL;
    expect_ok(tn_state_new(NULL, 18446744073709551615u, &state));
    tn_state_set_step(state, 12);
    expect_ok(tn_state_put(state, "mask", TN_U8, TN_SHAPE(3), 0, mask));
    expect_ok(tn_state_put(state, "fc1.weight", TN_F32, TN_SHAPE(2, 3), TN_TRAINABLE, weight));
    expect_ok(tn_state_put(state, "half", TN_F16, TN_SHAPE(1), 0, half));
    expect_ok(tn_state_put(state, "input", TN_F32, TN_SHAPE(1000), TN_TRANSIENT, NULL));
    expect_ok(tn_state_put(state, "count", TN_I32, TN_SCALAR, 0, &count));
    expect_ok(tn_state_put(state, "scale", TN_F64, TN_SHAPE(1, 1), 0, &scale));
    expect_ok(tn_state_put(state, "none", TN_BF16, TN_SHAPE(0, 4), 0, NULL));
    return state;
}

static void the_bytes_of_a_file_are_those_of_the_format(void **state)
{
    static const char header[] =
        "{\"__metadata__\":{\"tenon.seed\":\"18446744073709551615\",\"tenon.step\":\"12\",\"tenon.version\":\"0.1.0\","
        "\"net\":\"linear 10\",\"odd\":\"a\\\"b\\\\c\\u000ad\xC3\xA9\"},"
        "\"scale\":{\"dtype\":\"F64\",\"shape\":[1,1],\"data_offsets\":[0,8]},"
        "\"fc1.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[8,32]},"
        "\"count\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[32,36]},"
        "\"half\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[36,38]},"
        "\"none\":{\"dtype\":\"BF16\",\"shape\":[0,4],\"data_offsets\":[38,38]},"
        "\"mask\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[38,41]}}";
    static const unsigned char data[41] = {0, 0,    0, 0,    0,    0,    0xf0, 0x3f, 0,    0,    0x80, 0x3f, 0,    0,
                                           0, 0xc0, 0, 0,    0,    0x3f, 0,    0,    0x40, 0x40, 0,    0,    0x80, 0x40,
                                           0, 0,    0, 0x80, 0xfe, 0xff, 0xff, 0xff, 0,    0x3c, 7,    8,    255};
    const tn_note notes[] = {{"net", "linear 10"}, {"odd", "a\"b\\c\nd\xC3\xA9"}};
    size_t size = 0, header_size = sizeof header - 1, padded = (header_size + 7) / 8 * 8;
    tn_state *some = some_state();
    (void)state;
    const char *path = scratch_path("golden");
    expect_ok(tn_state_save(some, path, notes, 2));
    unsigned char *file = (unsigned char *)scratch_read(path, &size);
    assert_int_equal(size, 8 + padded + sizeof data);
    assert_int_equal(file[0] | file[1] << 8, padded);
    for (int i = 2; i < 8; i++) assert_int_equal(file[i], 0);
    assert_memory_equal(file + 8, header, header_size);
    for (size_t i = header_size; i < padded; i++) assert_int_equal(file[8 + i], ' ');
    assert_memory_equal(file + 8 + padded, data, sizeof data);
    free(file);
    tn_state_free(some);
    unlink(path);
}

/* Of each type: no number, either infinity, and the largest number, which is kept. */
static void what_is_not_finite_never_replaces_a_file(void **state)
{
    static const struct {
        int32_t dtype;
        uint64_t bits[4];
    } cases[] = {{TN_F32, {0x7fc00001, 0x7f800000, 0xff800000, 0x7f7fffff}},
                 {TN_F64, {0x7ff8000000000001, 0x7ff0000000000000, 0xfff0000000000000, 0x7fefffffffffffff}},
                 {TN_F16, {0x7e01, 0x7c00, 0xfc00, 0x7bff}},
                 {TN_BF16, {0x7fc1, 0x7f80, 0xff80, 0x7f7f}},
                 {TN_I32, {0, 0, 0, 0x7f800000}},
                 {TN_U8, {0, 0, 0, 0xff}}};
    static const tn_save_options any = {.not_finite = 1};
    (void)state;
    const char *path = scratch_path("finite");
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (int i = 0; i < 4; i++) {
            unsigned char value[3][8] = {{0}};
            size_t size = tn_dtype_size(cases[c].dtype), before = 0, after = 0;
            tn_state *some = some_state();
            expect_ok(tn_state_save(some, path, NULL, 0));
            char *old = scratch_read(path, &before);
            memcpy((char *)value + 2 * size, &cases[c].bits[i], size);
            expect_ok(tn_state_put(some, "last", cases[c].dtype, TN_SHAPE(3), 0, value));
            if (i < 3 && cases[c].bits[i]) {
                expect_failure(tn_state_save(some, path, NULL, 0), TN_ESTATE, "tensor 'last' (3) has numbers that");
                char *now = scratch_read(path, &after);
                assert_int_equal(after, before);
                assert_memory_equal(now, old, before);
                free(now);
                expect_ok(tn_state_save_with(some, path, &any, NULL, 0));
            } else {
                expect_ok(tn_state_save(some, path, NULL, 0));
            }
            free(old);
            tn_state_free(some);
        }
    unlink(path);
}

static void weights_are_saved_without_what_goes_with_them(void **state)
{
    static const float one[3] = {1, 2, 3};
    static const struct {
        tn_save_options how;
        const char *there, *gone, *note;
    } cases[] = {{{0}, "fc.weight.exp_avg", "nothing", "12"},
                 {{.weights_only = 1}, "norm.x", "fc.weight.exp_avg", NULL},
                 {{.weights_only = 1, .without = "norm"}, "fc.weight", "norm.x", NULL},
                 {{.without = "*avg, norm"}, "fc.weight", "fc.weight.exp_avg", "12"}};
    (void)state;
    tn_state *some = some_state();
    const char *path = scratch_path("weights");
    expect_ok(tn_state_put(some, "fc.weight", TN_F32, TN_SHAPE(3), TN_TRAINABLE, one));
    expect_ok(tn_state_put(some, "fc.weight.exp_avg", TN_F32, TN_SHAPE(3), 0, one));
    expect_ok(tn_state_put(some, "norm.x", TN_F32, TN_SHAPE(3), 0, one));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_checkpoint *file = NULL;
        tn_state_entry entry;
        expect_ok(tn_state_save_with(some, path, &cases[i].how, NULL, 0));
        expect_ok(tn_checkpoint_open(path, &file));
        assert_true(tn_checkpoint_find(file, "fc1.weight", &entry, NULL));
        assert_true(tn_checkpoint_find(file, cases[i].there, &entry, NULL));
        assert_false(tn_checkpoint_find(file, cases[i].gone, &entry, NULL));
        const char *step = tn_checkpoint_note(file, "tenon.step");
        assert_true(cases[i].note ? step && !strcmp(step, cases[i].note) : !step);
        assert_non_null(tn_checkpoint_note(file, "tenon.version"));
        tn_checkpoint_close(file);
    }
    tn_state_free(some);
    unlink(path);
}

static void notes_and_names_that_cannot_be_kept_are_refused(void **state)
{
    const tn_note own = {"tenon.seed", "5"}, none = {"net", NULL}, twice[] = {{"a", "1"}, {"a", "2"}};
    const tn_note no_text[] = {{"net", "linear 10"}, {"place", "gr\xF6n"}}, no_key = {"gr\xF6n", "1"};
    tn_state *some = some_state();
    const char *path = scratch_path("notes");
    (void)state;
    expect_failure(tn_state_save(some, path, &own, 1), TN_EINVAL, "a note cannot be named 'tenon.seed'");
    expect_failure(tn_state_save(some, path, &none, 1), TN_EINVAL, "note 0 has no value");
    expect_failure(tn_state_save(some, path, twice, 2), TN_EINVAL, "two notes are named 'a'");
    expect_failure(tn_state_save(some, path, no_text, 2), TN_EINVAL, "note 'place': its text is not UTF-8");
    expect_failure(tn_state_save(some, path, &no_key, 1), TN_EINVAL, "its name is not UTF-8");
    expect_failure(tn_state_save(some, NULL, NULL, 0), TN_EINVAL, "path is NULL");
    expect_failure(tn_state_save(some, "", NULL, 0), TN_EINVAL, "no file name");
    expect_ok(tn_state_put(some, "w\xFF", TN_F32, TN_SCALAR, 0, NULL));
    expect_failure(tn_state_save(some, path, NULL, 0), TN_EINVAL, "its name is not UTF-8");
    tn_state_free(some);
    some = some_state();
    expect_ok(tn_state_put(some, "__metadata__", TN_F32, TN_SCALAR, 0, NULL));
    expect_failure(tn_state_save(some, path, NULL, 0), TN_EINVAL, "a tensor named '__metadata__'");
    tn_state_free(some);
    assert_int_equal(scratch_files(), 0);
}

static void a_place_that_cannot_be_written_is_named(void **state)
{
    tn_state *some = some_state();
    (void)state;
    expect_failure(tn_state_save(some, "/dev/full", NULL, 0), TN_EIO, "/dev/full: cannot be written: No space left");
    expect_failure(tn_state_save(some, "/tmp", NULL, 0), TN_EIO, "/tmp: cannot be written: it is a folder");
    expect_failure(tn_state_save(some, scratch_path("none/model"), NULL, 0), TN_EMISSING,
                   "none/model: cannot be written: its folder does not exist");
    const char *file = scratch_text("file", "");
    char below[600];
    snprintf(below, sizeof below, "%s/model", file);
    expect_failure(tn_state_save(some, below, NULL, 0), TN_EMISSING, "its folder does not exist");
    expect_ok(tn_state_save(some, "/dev/null", NULL, 0));
    struct stat info;
    assert_int_equal(stat("/dev/null", &info), 0);
    assert_true(S_ISCHR(info.st_mode));
    tn_state_free(some);
    unlink(file);
    assert_int_equal(scratch_files(), 0);
}

static void missing_permission_is_named(void **state)
{
    (void)state;
    pid_t child = fork(); /* the superuser may do everything: be someone else for a while */
    assert_true(child >= 0);
    if (!child) {
        tn_state *some = some_state();
        if (!geteuid() && seteuid(65534)) _exit(3);
        tn_status status = tn_state_save(some, "/etc/tenon-test-model", NULL, 0);
        _exit(status == TN_EIO && strstr(tn_message(), "/etc/tenon-test-model: cannot be written: Permission denied")
                  ? 0
                  : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Saves, expects failure, and that nothing but the old file is there. */
static void expect_old_file(tn_state *some, const char *path, tn_status status, const char *part)
{
    size_t size = 0;
    expect_failure(tn_state_save(some, path, NULL, 0), status, part);
    char *content = scratch_read(path, &size);
    assert_string_equal(content, "old");
    free(content);
    assert_int_equal(scratch_files(), 1);
}

static void a_failure_half_way_leaves_the_old_file(void **state)
{
    tn_state *some = some_state();
    const char *path = scratch_text("model", "old");
    (void)state;
    for (int reads = 0; reads < 5; reads++) { /* one of the six tensors has no elements to be read */
        fake_state_fail_read(reads);
        expect_old_file(some, path, TN_EDEVICE, "the fake device was lost");
    }
    fake_state_fail_read(-1);
    expect_ok(tn_state_save(some, path, NULL, 0));
    assert_int_equal(scratch_files(), 1);
    tn_state_free(some);
    unlink(path);
}

static void a_disk_that_fills_up_leaves_the_old_file(void **state)
{
    struct rlimit before, small = {0};
    tn_state *some = some_state();
    const char *path = scratch_text("model", "old");
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (rlim_t bytes = 0; bytes <= 500; bytes += 50) {
        small = (struct rlimit){bytes, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        tn_status status = tn_state_save(some, path, NULL, 0);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        expect_failure(status, TN_EIO, "model: cannot be written: File too large");
        assert_int_equal(scratch_files(), 1);
    }
    size_t size = 0;
    char *content = scratch_read(path, &size);
    assert_string_equal(content, "old");
    free(content);
    tn_state_free(some);
    unlink(path);
}

static void a_failed_allocation_leaves_the_old_file(void **state)
{
    const tn_note note = {"net", "linear 10"};
    tn_state *some = some_state();
    const char *path = scratch_text("model", "old");
    tn_status status = TN_ENOMEM;
    int64_t n = 0;
    (void)state;
    for (; status; n++) {
        size_t size = 0;
        tn_alloc_fail_after(n);
        status = tn_state_save(some, path, &note, 1);
        tn_alloc_fail_after(-1);
        assert_int_equal(scratch_files(), 1);
        char *content = scratch_read(path, &size);
        if (status) expect_failure(status, TN_ENOMEM, "out of memory");
        if (status) assert_string_equal(content, "old");
        free(content);
    }
    assert_true(n > 4);
    tn_state_free(some);
    unlink(path);
}

/* Only root can give a file away. One that another user may write becomes that user's, and the group, which is another
 * one, loses what it had. */
static void owners_are_kept_where_that_can_be(void **state)
{
    struct stat info;
    tn_state *some = some_state();
    const char *path = scratch_text("model", "old");
    int code = 0;
    (void)state;
    if (geteuid()) skip();
    assert_int_equal(chown(path, 1234, 2345), 0);
    assert_int_equal(chmod(path, 0604), 0);
    expect_ok(tn_state_save(some, path, NULL, 0));
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_uid, 1234);
    assert_int_equal(info.st_gid, 2345);
    assert_int_equal(info.st_mode & 07777, 0604);
    assert_int_equal(chmod(path, 04666), 0);
    char *folder = strdup(path);
    *strrchr(folder, '/') = 0;
    assert_int_equal(chmod(folder, 0777), 0);
    pid_t child = fork();
    if (!child) _exit(setgid(4321) || setuid(4321) || tn_state_save(some, path, NULL, 0) != TN_OK);
    waitpid(child, &code, 0);
    assert_int_equal(code, 0);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_uid, 4321);
    assert_int_equal(info.st_mode & 07777, 0606);
    free(folder);
    tn_state_free(some);
    unlink(path);
}

static void what_links_name_is_made_if_it_is_not_there(void **state)
{
    tn_state *some = some_state();
    struct stat info;
    const char *path = scratch_path("model"), *near = scratch_path("near"), *far = scratch_path("far");
    (void)state;
    assert_int_equal(symlink("model", near), 0);
    assert_int_equal(symlink(near, far), 0);
    for (int there = 0; there < 2; there++) {
        expect_ok(tn_state_save(some, far, NULL, 0));
        assert_true(!lstat(near, &info) && S_ISLNK(info.st_mode) && !lstat(far, &info) && S_ISLNK(info.st_mode));
        assert_true(!lstat(path, &info) && S_ISREG(info.st_mode) && info.st_size > 100);
    }
    unlink(near);
    unlink(path);
    assert_int_equal(symlink("far", near), 0);
    expect_failure(tn_state_save(some, far, NULL, 0), TN_EIO, "far: cannot be written: Too many levels");
    unlink(near);
    assert_int_equal(symlink("none/model", near), 0);
    expect_failure(tn_state_save(some, far, NULL, 0), TN_EMISSING, "far: cannot be written: its folder does not");
    unlink(near);
    unlink(far);
    assert_int_equal(scratch_files(), 0);
    tn_state_free(some);
}

static void links_and_modes_are_kept(void **state)
{
    struct stat info;
    tn_state *some = some_state();
    const char *path = scratch_text("model", "old"), *link = scratch_path("link");
    (void)state;
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(symlink("model", link), 0);
    expect_ok(tn_state_save(some, link, NULL, 0));
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISREG(info.st_mode) && info.st_size > 100);
    assert_int_equal(info.st_mode & 0777, 0640);
    tn_state_free(some);
    unlink(link);
    unlink(path);
}

static void what_killed_processes_left_is_removed(void **state)
{
    char mine[64], dead[64];
    tn_state *some = some_state();
    (void)state;
    pid_t child = fork();
    if (!child) _exit(0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    snprintf(mine, sizeof mine, "model.%ld.99999.tmp", (long)getpid());
    snprintf(dead, sizeof dead, "model.%ld.0.tmp", (long)child);
    scratch_text(mine, "");
    scratch_text(dead, "");
    scratch_text("model.x.0.tmp", "");
    scratch_text("model.2", "");
    expect_ok(tn_state_save(some, scratch_path("model"), NULL, 0));
    assert_int_equal(access(scratch_path(dead), F_OK), -1);
    assert_int_equal(access(scratch_path(mine), F_OK), 0);
    assert_int_equal(scratch_files(), 4);
    unlink(scratch_path(mine));
    unlink(scratch_path("model.x.0.tmp"));
    unlink(scratch_path("model.2"));
    unlink(scratch_path("model"));
    tn_state_free(some);
}

/* The temporary file's name, which is longer, is not the limit. */
static void the_longest_names_are_written(void **state)
{
    tn_state *some = some_state();
    char name[NAME_MAX + 2];
    (void)state;
    for (int length = 200; length <= NAME_MAX; length++) {
        memset(name, 'x', (size_t)length);
        name[length] = 0;
        expect_ok(tn_state_save(some, scratch_path(name), NULL, 0));
        assert_int_equal(scratch_files(), 1);
        unlink(scratch_path(name));
    }
    for (int i = 0; i < NAME_MAX; i++) name[i] = "\xc3\xa9"[i % 2]; /* letters of two bytes */
    name[NAME_MAX - 1] = 0;
    expect_ok(tn_state_save(some, scratch_path(name), NULL, 0));
    unlink(scratch_path(name));
    assert_int_equal(scratch_files(), 0);
    tn_state_free(some);
}

/* ---- kill -9 ---- */

static tn_state *large_state(float value)
{
    static float data[LARGE];
    tn_state *state = NULL;
    expect_ok(tn_state_new(NULL, 1, &state));
    for (int i = 0; i < LARGE; i++) data[i] = value;
    expect_ok(tn_state_put(state, "w", TN_F32, TN_SHAPE(LARGE), 0, data));
    tn_state_set_step(state, (uint64_t)value);
    return state;
}

/* Saves two states in turn until it is killed. */
static void save_for_ever(const char *path)
{
    tn_state *one = large_state(1), *two = large_state(2);
    for (;;)
        if (tn_state_save(one, path, NULL, 0) || tn_state_save(two, path, NULL, 0)) _exit(1);
}

static void expect_one_of_two(const char *path)
{
    tn_checkpoint *checkpoint = NULL;
    tn_state_entry entry;
    const void *data = NULL;
    expect_ok(tn_checkpoint_open(path, &checkpoint));
    assert_true(tn_checkpoint_find(checkpoint, "w", &entry, &data));
    float first = *(const float *)data;
    for (int i = 0; i < LARGE; i++) assert_near(((const float *)data)[i], first, 0);
    assert_string_equal(tn_checkpoint_note(checkpoint, "tenon.step"), first == 1 ? "1" : "2");
    tn_checkpoint_close(checkpoint);
}

static void kill_at_any_moment_leaves_a_whole_file(void **state)
{
    const char *path = scratch_path("killed");
    tn_state *one = large_state(1);
    int interrupted = 0, kills = 0;
    (void)state;
    expect_ok(tn_state_save(one, path, NULL, 0));
    /* on a busy machine a process may not have begun to write: then more are killed */
    for (; kills < KILLS || (!interrupted && kills < 20 * KILLS); kills++) {
        struct timespec moment = {0, 1000000 + (kills * 7919 % KILLS) * 300000}; /* 1 to 19 ms */
        int status = 0;
        pid_t child = fork();
        if (!child) save_for_ever(path);
        nanosleep(&moment, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        expect_one_of_two(path);
        interrupted += scratch_files() > 1;
        assert_true(scratch_files() <= 2); /* at most one temporary file: others have been cleared away */
    }
    print_message("%d of %d kills came while a file was being written\n", interrupted, kills);
    assert_true(interrupted > 0);
    expect_ok(tn_state_save(one, path, NULL, 0));
    assert_int_equal(scratch_files(), 1);
    tn_state_free(one);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_of_a_file_are_those_of_the_format),
        cmocka_unit_test(what_is_not_finite_never_replaces_a_file),
        cmocka_unit_test(weights_are_saved_without_what_goes_with_them),
        cmocka_unit_test(notes_and_names_that_cannot_be_kept_are_refused),
        cmocka_unit_test(a_place_that_cannot_be_written_is_named),
        cmocka_unit_test(missing_permission_is_named),
        cmocka_unit_test(a_failure_half_way_leaves_the_old_file),
        cmocka_unit_test(a_disk_that_fills_up_leaves_the_old_file),
        cmocka_unit_test(a_failed_allocation_leaves_the_old_file),
        cmocka_unit_test(owners_are_kept_where_that_can_be),
        cmocka_unit_test(what_links_name_is_made_if_it_is_not_there),
        cmocka_unit_test(links_and_modes_are_kept),
        cmocka_unit_test(what_killed_processes_left_is_removed),
        cmocka_unit_test(the_longest_names_are_written),
        cmocka_unit_test(kill_at_any_moment_leaves_a_whole_file),
    };
    return cmocka_run_group_tests_name("save", tests, scratch_begin, scratch_end);
}
