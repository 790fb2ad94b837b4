/* options.c: see options.h. Nobody lists the options that a backend has: they are those that it asks for. */
#include "options.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "environment.h"
#include "error.h"
#include "plain.h"

/* What was set, or was asked for and not set. */
typedef struct option {
    struct option *next;
    const char *backend, *key;
    const char *value; /* NULL: not set */
    int asked, of_environment;
} option;

/* The newest first: an option that is set again hides the old one. */
static struct {
    pthread_mutex_t lock;
    option *first;
    tn_region texts;
} options = {.lock = PTHREAD_MUTEX_INITIALIZER};

static option *find(const char *backend, const char *key)
{
    option *o = options.first;
    while (o && (strcmp(o->backend, backend) || strcmp(o->key, key))) o = o->next;
    return o;
}

/* Puts one before all others; NULL without memory. */
static option *add(const char *backend, const char *key, const char *value)
{
    option *made = tn_region_alloc(&options.texts, sizeof *made);
    if (!made) return NULL;
    made->backend = tn_region_print(&options.texts, "%s", backend);
    made->key = tn_region_print(&options.texts, "%s", key);
    made->value = value ? tn_region_print(&options.texts, "%s", value) : NULL;
    if (!made->backend || !made->key || (value && !made->value)) return NULL;
    made->next = options.first;
    return options.first = made;
}

/* ---- the library's own ---- */

static int is_probe(const char *value)
{
    return !strcmp(value, "again") || !strcmp(value, "off");
}

static int is_seconds(const char *value)
{
    char *end;
    double seconds = tn_strtod(value, &end);
    return end != value && !*end && seconds > 0 && isfinite(seconds);
}

static const struct {
    const char *key, *takes;
    int (*fits)(const char *value);
} own[] = {{"probe", "\"again\" or \"off\"", is_probe}, {"probe_seconds", "a number above 0", is_seconds}};

static tn_status check_own(const char *key, const char *value)
{
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (strcmp(own[i].key, key)) continue;
        TN_REQUIRE(own[i].fits(value), TN_EINVAL, "option tenon.%s: '%s' is not %s", key, value, own[i].takes);
        return TN_OK;
    }
    return tn_fail(TN_EINVAL, "option tenon.%s: the library has no such option; it has %s and %s", key, own[0].key,
                   own[1].key);
}

/* ---- setting and asking ---- */

int tn_option_cut(char **text, char **backend, char **key, char **value)
{
    char *one = *text, *end = one + strcspn(one, ","), *dot = strchr(one, '.'), *sign = strchr(one, '=');
    if (!dot || !sign || dot == one || sign <= dot + 1 || sign + 1 >= end) return 0;
    *text = end + (*end == ',');
    *dot = *sign = *end = 0;
    *backend = one, *key = dot + 1, *value = sign + 1;
    return 1;
}

/* One of the environment: what the program set counts before it, and none is given twice. */
static tn_status set_unless(const char *backend, const char *key, const char *value)
{
    pthread_mutex_lock(&options.lock);
    const option *o = find(backend, key);
    const int is_set = o && o->value, is_given = is_set && o->of_environment;
    pthread_mutex_unlock(&options.lock);
    TN_REQUIRE(!is_given, TN_EINVAL, "TENON_OPTIONS: %s.%s is given twice", backend, key);
    if (is_set) return TN_OK;
    TN_TRY(tn_option_set(backend, key, value));
    pthread_mutex_lock(&options.lock);
    find(backend, key)->of_environment = 1;
    pthread_mutex_unlock(&options.lock);
    return TN_OK;
}

tn_status tn_options_of_environment(void)
{
    const char *said = tn_environment("TENON_OPTIONS");
    char *copy = tn_strdup(said ? said : ""), *at = copy, *backend, *key, *value;
    tn_status status = copy ? TN_OK : TN_ENOMEM;
    while (!status && *at) {
        if (!tn_option_cut(&at, &backend, &key, &value))
            status = tn_fail(TN_EINVAL, "TENON_OPTIONS: expected BACKEND.KEY=VALUE,..., not '%s'", said);
        else
            status = set_unless(backend, key, value);
    }
    tn_free(copy);
    return status;
}

tn_status tn_option_set(const char *backend, const char *key, const char *value)
{
    if (!strcmp(backend, "tenon")) TN_TRY(check_own(key, value));
    pthread_mutex_lock(&options.lock);
    option *made = add(backend, key, value);
    pthread_mutex_unlock(&options.lock);
    return made ? TN_OK : TN_NO_MEMORY(0);
}

const char *tn_option_get(const char *backend, const char *key)
{
    pthread_mutex_lock(&options.lock);
    option *o = find(backend, key);
    if (!o) o = add(backend, key, NULL);
    if (o) o->asked = 1;
    pthread_mutex_unlock(&options.lock);
    return o ? o->value : NULL;
}

/* The list only grows at its front, so that it can be walked while others ask. */
void tn_options_each(void (*visit)(void *arg, const char *backend, const char *key, const char *value), void *arg)
{
    pthread_mutex_lock(&options.lock);
    const option *first = options.first;
    pthread_mutex_unlock(&options.lock);
    for (const option *o = first; o; o = o->next)
        if (o->value) visit(arg, o->backend, o->key, o->value);
}

void tn_options_clear(void)
{
    pthread_mutex_lock(&options.lock);
    tn_region_free(&options.texts);
    options.first = NULL;
    pthread_mutex_unlock(&options.lock);
}

void tn_options_after_fork(void)
{
    static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    options.lock = fresh;
}

/* ---- what nobody asked for ---- */

/* The options that a backend asked for, as "it has a, b". */
static void list_asked(const char *backend, char *text, size_t room)
{
    size_t n = (size_t)snprintf(text, room, "it has none");
    const char *before = "it has ";
    for (const option *o = options.first; o; o = o->next) {
        if (!o->asked || strcmp(o->backend, backend) || find(backend, o->key) != o) continue;
        if (*before == 'i') n = 0;
        if (n < room) n += (size_t)snprintf(text + n, room - n, "%s%s", before, o->key);
        before = ", ";
    }
}

tn_status tn_options_check(const char *backend)
{
    char asked[200], key[64] = "";
    pthread_mutex_lock(&options.lock);
    for (const option *o = options.first; o && !*key; o = o->next)
        if (o->value && !strcmp(o->backend, backend) && !find(backend, o->key)->asked)
            snprintf(key, sizeof key, "%s", o->key);
    list_asked(backend, asked, sizeof asked);
    pthread_mutex_unlock(&options.lock);
    TN_REQUIRE(!*key, TN_EINVAL, "option %s.%s: %s has no such option; %s", backend, key, backend, asked);
    return TN_OK;
}

static void note_owner(void *arg, const char *backend, const char *key, const char *value)
{
    const char **wanted = arg;
    (void)key, (void)value;
    if (*wanted && !strcmp(*wanted, backend)) *wanted = NULL;
}

int tn_options_any(const char *backend)
{
    tn_options_each(note_owner, &backend);
    return !backend;
}
