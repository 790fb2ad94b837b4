/* cache.c: the disk cache that backends get: entries whole or not at all, folders that are fit for it, trimming. */
#include "harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "alloc.h"
#include "cache.h"
#include "host.h"

static void assert_cached(const char *key, const char *want)
{
    char data[64] = "";
    int64_t bytes = tn_cache_get("test", key, data, sizeof data);
    assert_int_equal(bytes, want ? (int64_t)strlen(want) : -1);
    if (want) assert_string_equal(data, want);
}

static void put(const char *key, const char *text)
{
    tn_cache_put("test", key, text, strlen(text), TN_CACHE_LIMIT);
}

static void an_entry_comes_back_as_it_was_put(void **state)
{
    char none[4] = "abc";
    (void)state;
    assert_cached("key", NULL);
    put("key", "first");
    put("another\nkey", "other");
    assert_cached("key", "first");
    put("key", "second");
    put("empty", "");
    assert_cached("key", "second");
    assert_cached("another\nkey", "other");
    assert_cached("empty", "");
    assert_int_equal(tn_cache_get("test", "key", none, 4), 6); /* too small: only the size */
    assert_string_equal(none, "abc");
    assert_int_equal(tn_cache_get("test", "key", NULL, 0), 6);
}

static void each_backend_has_keys_of_its_own(void **state)
{
    tn_host a = tn_host_for("a"), b = tn_host_for("b");
    char data[8] = "";
    (void)state;
    a.cache_put(a.self, "key", "from a", 7);
    assert_int_equal(b.cache_get(b.self, "key", data, sizeof data), -1);
    assert_int_equal(a.cache_get(a.self, "key", data, sizeof data), 7);
    assert_string_equal(data, "from a");
    assert_int_equal(a.cache_get(a.self, NULL, data, sizeof data), -1);
}

/* Calls `visit` with the path of each file of the cache, and counts them. */
static int each_file(void (*visit)(const char *path))
{
    char path[600];
    struct dirent *file;
    int count = 0;
    DIR *folder = opendir(in_folder("cache"));
    while (folder && (file = readdir(folder))) {
        if (!strcmp(file->d_name, ".") || !strcmp(file->d_name, "..")) continue;
        snprintf(path, sizeof path, "%s/%s", in_folder("cache"), file->d_name);
        if (visit) visit(path);
        count++;
    }
    if (folder) closedir(folder);
    return count;
}

static long damage_at;

static void flip_a_byte(const char *path)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, damage_at, SEEK_SET), 0);
    int c = getc(file);
    assert_int_equal(fseek(file, damage_at, SEEK_SET), 0);
    putc(c ^ 1, file);
    fclose(file);
}

static void cut(const char *path)
{
    assert_int_equal(truncate(path, damage_at), 0);
}

static void add_a_byte(const char *path)
{
    FILE *file = fopen(path, "ab");
    putc(0, file);
    fclose(file);
}

/* The file is 32 bytes of head, "test\nkey" and "value": 45. */
static void a_damaged_entry_is_not_there_and_can_be_put_again(void **state)
{
    (void)state;
    for (damage_at = 0; damage_at < 45; damage_at++) {
        put("key", "value");
        each_file(flip_a_byte);
        assert_cached("key", NULL);
        put("key", "value");
        assert_cached("key", "value");
        each_file(cut);
        assert_cached("key", NULL);
    }
    put("key", "value");
    each_file(add_a_byte);
    assert_cached("key", NULL);
    put("key", "value");
    assert_cached("key", "value");
    assert_int_equal(each_file(NULL), 1);
}

static void an_entry_of_another_key_under_the_same_name_is_not_taken(void **state)
{
    char names[2][600];
    DIR *folder;
    struct dirent *file;
    int n = 0;
    (void)state;
    put("key", "value");
    put("yek", "other");
    assert_non_null(folder = opendir(in_folder("cache")));
    while ((file = readdir(folder)) && n < 2)
        if (file->d_name[0] != '.') snprintf(names[n++], 600, "%s/%s", in_folder("cache"), file->d_name);
    closedir(folder);
    assert_int_equal(n, 2);
    assert_int_equal(rename(names[0], names[1]), 0);
    assert_cached("key", NULL);
    assert_cached("yek", NULL);
}

static void a_folder_that_cannot_be_written_does_no_harm(void **state)
{
    (void)state;
    setenv("TENON_CACHE", "/proc/no/such/place", 1);
    put("key", "value");
    assert_cached("key", NULL);
    setenv("TENON_CACHE", "/dev/null", 1);
    put("key", "value");
    assert_cached("key", NULL);
    write_text("file", "in the way");
    setenv("TENON_CACHE", in_folder("file"), 1);
    put("key", "value");
    assert_cached("key", NULL);
    assert_int_equal(tn_cache_check(), TN_EIO);
    assert_non_null(strstr(tn_message(), "can't be written: Not a directory"));
    assert_int_equal(mkdir(in_folder("locked"), 0500), 0);
    setenv("TENON_CACHE", in_folder("locked"), 1);
    put("key", "value");
    if (geteuid()) assert_cached("key", NULL); /* root may write anywhere */
}

static void the_cache_lies_where_the_environment_says(void **state)
{
    struct stat info;
    (void)state;
    setenv("TENON_CACHE", "off", 1);
    setenv("HOME", in_folder("home"), 1);
    setenv("XDG_CACHE_HOME", "relative", 1);
    put("key", "off");
    assert_cached("key", NULL);
    assert_int_equal(stat(in_folder("home"), &info), -1);
    unsetenv("TENON_CACHE");
    put("key", "home");
    assert_int_equal(stat(in_folder("home/.cache/tenon"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    setenv("XDG_CACHE_HOME", in_folder("xdg"), 1);
    assert_cached("key", NULL);
    put("key", "xdg");
    assert_int_equal(stat(in_folder("xdg/tenon"), &info), 0);
    unsetenv("XDG_CACHE_HOME");
    assert_cached("key", "home");
    setenv("HOME", "relative", 1);
    put("key", "nowhere");
    assert_cached("key", NULL);
    unsetenv("HOME");
    assert_cached("key", NULL);
}

static time_t age_of_all;

static void age(const char *path)
{
    struct utimbuf times = {age_of_all, age_of_all};
    assert_int_equal(utime(path, &times), 0);
}

/* Entries of about 1000 bytes; each use makes one young again. */
static void the_entries_used_longest_ago_go_when_the_cache_is_full(void **state)
{
    char data[1000] = "x";
    (void)state;
    tn_cache_put("test", "first", data, sizeof data, 3500);
    age_of_all = 1000000;
    each_file(age);
    tn_cache_put("test", "second", data, sizeof data, 3500);
    tn_cache_put("test", "third", data, sizeof data, 3500);
    age_of_all = 2000000;
    each_file(age);
    assert_int_equal(tn_cache_get("test", "first", NULL, 0), sizeof data); /* used just now */
    tn_cache_put("test", "fourth", data, sizeof data, 3500);
    assert_int_equal(each_file(NULL), 3);
    assert_int_equal(tn_cache_get("test", "first", NULL, 0), sizeof data);
    assert_int_equal(tn_cache_get("test", "fourth", NULL, 0), sizeof data);
    tn_cache_put("test", "too large", data, sizeof data, 999);
    assert_int_equal(tn_cache_get("test", "too large", NULL, 0), -1);
}

/* Entries of other keys, an eighth of a second apart. */
static void make_entries(int count)
{
    char path[600], data[100] = "x";
    for (int i = 0; i < count; i++) {
        const struct timespec when[2] = {{1000000, 0}, {1000000 + i / 8, i % 8 * 125000000L}};
        snprintf(path, sizeof path, "cache/%016x.entry", (unsigned)i);
        write_text(path, data);
        assert_int_equal(utimensat(AT_FDCWD, in_folder(path), when, 0), 0);
    }
}

/* To look at the folder again for each entry that goes would take minutes. */
static void a_full_cache_of_many_entries_is_trimmed_in_a_moment(void **state)
{
    enum { MANY = 6000, LIMIT = 60 }; /* the new one has some 45 bytes, the others one each */
    (void)state;
    put("key", "value");
    make_entries(MANY);
    const clock_t begun = clock();
    tn_cache_put("test", "key", "value", 5, LIMIT);
    assert_in_range(clock() - begun, 0, 2 * CLOCKS_PER_SEC);
    assert_cached("key", "value");
    assert_in_range(each_file(NULL), 2, LIMIT - 40);
    char youngest[40];
    snprintf(youngest, sizeof youngest, "cache/%016x.entry", (unsigned)(MANY - 1));
    assert_int_equal(access(in_folder(youngest), F_OK), 0);
}

static void a_folder_that_others_can_write_to_is_not_used(void **state)
{
    char path[PATH_MAX];
    (void)state;
    put("key", "value");
    assert_int_equal(tn_cache_folder(path, sizeof path), TN_OK);
    assert_string_equal(path, in_folder("cache"));
    assert_int_equal(chmod(path, 0777), 0);
    assert_cached("key", NULL);
    put("other", "value");
    assert_int_equal(each_file(NULL), 1);
    assert_false(tn_cache_can_keep());
    assert_null(tn_host_for("test").cache_get);
    assert_null(tn_host_for("test").cache_put);
    assert_int_equal(tn_cache_folder(path, sizeof path), TN_EINVAL);
    assert_non_null(
        strstr(tn_message(), "cache is not used: it can be changed by everybody (its mode is 0777): chmod go-w it"));
    assert_true(logged("cache is not used: it can be changed by everybody"));
    assert_int_equal(chmod(path, 0755), 0);
    assert_cached("key", "value");
}

static void why_there_is_no_cache_is_told(void **state)
{
    char path[PATH_MAX] = "untouched";
    (void)state;
    setenv("TENON_CACHE", "off", 1);
    assert_int_equal(tn_cache_folder(path, sizeof path), TN_EMISSING);
    assert_string_equal(tn_message(), "the cache is switched off by TENON_CACHE");
    assert_int_equal(tn_cache_check(), TN_EMISSING);
    assert_string_equal(tn_message(), "the cache is switched off by TENON_CACHE");
    setenv("TENON_CACHE", "/dev/null/cache", 1);
    assert_int_equal(tn_cache_check(), TN_EIO);
    assert_non_null(strstr(tn_message(), "the cache in /dev/null/cache can't be written: "));
    setenv("TENON_CACHE", "here", 1);
    assert_int_equal(tn_cache_folder(path, sizeof path), TN_EMISSING);
    assert_string_equal(tn_message(), "no cache: TENON_CACHE, 'here', is no absolute path");
    unsetenv("TENON_CACHE");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    assert_int_equal(tn_cache_folder(path, sizeof path), TN_EMISSING);
    assert_string_equal(tn_message(), "no cache: neither TENON_CACHE, XDG_CACHE_HOME nor HOME is set");
    setenv("HOME", "/home/someone", 1);
    assert_int_equal(tn_cache_folder(path, 10), TN_EINVAL);
    assert_string_equal(path, "untouched");
    assert_int_equal(tn_cache_folder(path, sizeof path), TN_OK);
    assert_string_equal(path, "/home/someone/.cache/tenon");
}

static void a_file_that_was_never_finished_is_removed_when_it_is_old(void **state)
{
    (void)state;
    put("key", "value");
    write_text("cache/.new-abcdef", "half of it");
    put("key", "value");
    assert_int_equal(each_file(NULL), 2); /* somebody may be writing it */
    age_of_all = 1000000;
    each_file(age);
    put("key", "value");
    assert_int_equal(each_file(NULL), 1);
}

static void a_lock_is_for_one_and_of_one_entry(void **state)
{
    (void)state;
    const int lock = tn_cache_lock_now("test", "key");
    assert_true(lock >= 0);
    assert_int_equal(tn_cache_lock_now("test", "key"), TN_CACHE_TAKEN);
    const int other = tn_cache_lock_now("test", "another key");
    assert_true(other >= 0);
    tn_cache_unlock(lock);
    tn_cache_unlock(TN_CACHE_TAKEN);
    const int again = tn_cache_lock("test", "key");
    assert_true(again >= 0);
    tn_cache_unlock(again);
    tn_cache_unlock(other);
    setenv("TENON_CACHE", "off", 1);
    assert_int_equal(tn_cache_lock_now("test", "key"), -1);
}

static void *put_and_get(void *arg)
{
    static const char *const texts[] = {"one text", "another text", "and a third, which is longer"};
    for (int i = 0; i < 100; i++) {
        char data[64] = "";
        put("shared", texts[i % 3]);
        int64_t bytes = tn_cache_get("test", "shared", data, sizeof data);
        int known = 0;
        for (int t = 0; t < 3; t++) known |= bytes == (int64_t)strlen(texts[t]) && !strcmp(data, texts[t]);
        if (!known) return "torn";
    }
    return arg;
}

static void readers_see_whole_entries_while_others_write(void **state)
{
    pthread_t threads[4];
    (void)state;
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, put_and_get, NULL), 0);
    for (int i = 0; i < 4; i++) {
        void *problem = NULL;
        pthread_join(threads[i], &problem);
        assert_null(problem);
    }
}

static void the_cache_survives_every_failing_allocation(void **state)
{
    (void)state;
    put("key", "value");
    for (int calls = 0; calls < 5; calls++) {
        char data[64] = "";
        tn_alloc_fail_after(calls);
        put("key", "value");
        int64_t bytes = tn_cache_get("test", "key", data, sizeof data);
        tn_alloc_fail_after(-1);
        assert_true(bytes == -1 || (bytes == 5 && !strcmp(data, "value")));
        assert_cached("key", "value");
    }
}

/* ---- parallel_for ------------------------------------------------------------------------------------------------ */

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_entry_comes_back_as_it_was_put),
        CASE(each_backend_has_keys_of_its_own),
        CASE(a_damaged_entry_is_not_there_and_can_be_put_again),
        CASE(an_entry_of_another_key_under_the_same_name_is_not_taken),
        CASE(a_folder_that_cannot_be_written_does_no_harm),
        CASE(the_cache_lies_where_the_environment_says),
        CASE(the_entries_used_longest_ago_go_when_the_cache_is_full),
        CASE(a_full_cache_of_many_entries_is_trimmed_in_a_moment),
        CASE(a_folder_that_others_can_write_to_is_not_used),
        CASE(why_there_is_no_cache_is_told),
        CASE(a_file_that_was_never_finished_is_removed_when_it_is_old),
        CASE(a_lock_is_for_one_and_of_one_entry),
        CASE(readers_see_whole_entries_while_others_write),
        CASE(the_cache_survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
