/* harness.c: see harness.h. */
#include "harness.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "registry.h"

static char folder[PATH_MAX];
static char lines[65536];

static void record(void *arg, int32_t level, const char *line)
{
    size_t length = strlen(lines);
    (void)arg;
    (void)level;
    snprintf(lines + length, sizeof lines - length, "%s\n", line);
}

int begin(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/tenon-test-XXXXXX");
    if (!mkdtemp(folder) || setenv("TENON_CACHE", in_folder("cache"), 1) || unsetenv("TENON_BACKEND_PATH")) return -1;
    lines[0] = 0;
    tn_log_to(record, NULL, TN_LOG_DEBUG);
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

int end(void **state)
{
    (void)state;
    tn_alloc_fail_after(-1);
    tn_log_to(NULL, NULL, 0);
    int open = (int)tn_registry_close();
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) || open;
}

const char *in_folder(const char *name)
{
    static char path[3][PATH_MAX + 64];
    static int turn;
    turn = (turn + 1) % 3;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

const char *built(const char *plugin)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.so", TEST_PLUGINS, plugin);
    return path;
}

void copy_plugin(const char *plugin, const char *name, long bytes)
{
    FILE *from = fopen(built(plugin), "rb"), *to = fopen(in_folder(name), "wb");
    assert_non_null(from);
    assert_non_null(to);
    for (long i = 0; !bytes || i < bytes; i++) {
        int c = getc(from);
        if (c == EOF) break;
        putc(c, to);
    }
    fclose(from);
    assert_int_equal(fclose(to), 0);
}

void write_text(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

void use(const char *plugins)
{
    char list[8192] = "", names[1024], *rest = NULL;
    snprintf(names, sizeof names, "%s", plugins);
    for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        size_t length = strlen(list);
        snprintf(list + length, sizeof list - length, "%s%s", length ? ":" : "", built(name));
    }
    setenv("TENON_BACKEND_PATH", list, 1);
    forget();
}

void forget(void)
{
    assert_int_equal(tn_registry_close(), 0);
    lines[0] = 0;
}

tn_backend_report report_on(const char *file)
{
    tn_backend_report report;
    size_t length = strlen(file);
    for (size_t i = 0; tn_backend_at(i, &report); i++) {
        size_t have = strlen(report.file);
        if (have >= length && !strcmp(report.file + have - length, file)) return report;
    }
    fail_msg("no report on %s", file);
    return report;
}

int logged(const char *text)
{
    return strstr(lines, text) != NULL;
}
