/* load.c: see load.h. */
#include "load.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "error.h"
#include "given.h"
#include "loader.h"
#include "tenon/team.h"
#include "trust.h"

#define FOLDER   "comm-1"
#define VARIABLE "TENON_COMM_PATH"

/* What launchers tell the processes that they start. */
static const struct {
    const char *variable, *name;
} launchers[] = {{"OMPI_COMM_WORLD_SIZE", "openmpi"}, {"PMI_SIZE", "mpich"}};

const char *tn_comm_launched(void)
{
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++)
        if (getenv(launchers[i].variable)) return launchers[i].name;
    return NULL;
}

tn_status tn_comm_check(const tn_communicator *table, const char *name)
{
    TN_REQUIRE(table->size >= offsetof(tn_communicator, id), TN_EFORMAT, "communicator %s has a table of %llu bytes",
               name, (unsigned long long)table->size);
    TN_REQUIRE(table->abi_major == TN_COMM_MAJOR, TN_EUNSUPPORTED,
               "communicator %s is made for ABI version %u.%u; this library has %u.%u", name, table->abi_major,
               table->abi_minor, TN_COMM_MAJOR, TN_COMM_MINOR);
    TN_REQUIRE(table->size >= sizeof *table, TN_EFORMAT, "communicator %s has a table of %llu bytes; %zu are the least",
               name, (unsigned long long)table->size, sizeof *table);
    TN_REQUIRE(tn_id_well_formed(table->id), TN_EFORMAT, "communicator %s has an id that is none", name);
    TN_REQUIRE(table->open && table->post && table->progress && table->close, TN_EFORMAT,
               "communicator %s lacks a function: open, post, progress and close are needed", name);
    return TN_OK;
}

static tn_status trust_file(const char *file, tn_reason *reason)
{
    struct stat info;
    if (stat(file, &info)) return tn_because(reason, TN_EMISSING, "there is no such file");
    const tn_trust named = tn_trust_named(&info);
    return tn_trust_check(&named, &info, reason);
}

static tn_status find(const char *name, char file[PATH_MAX], tn_reason *reason)
{
    if (name[0] != '/' && !tn_id_well_formed(name)) return tn_because(reason, TN_EINVAL, "is no name");
    if (name[0] != '/') return tn_search_named(FOLDER, VARIABLE, name, file, reason);
    if (!realpath(name, file)) return tn_because(reason, TN_EMISSING, "there is no such file");
    return trust_file(file, reason);
}

tn_status tn_comm_load(const char *name, const tn_communicator **table)
{
    char file[PATH_MAX];
    tn_reason reason = {""};
    void *symbol = NULL;
    tn_status status = find(name, file, &reason);
    if (!status) status = tn_load_symbol(file, "tn_comm_query", "communicator", &symbol, &reason);
    if (status) return tn_fail(status, "communicator %s: %s", name, reason.text);
    const tn_communicator *found = ((tn_comm_query_fn *)symbol)(TN_COMM_MAJOR, TN_COMM_MINOR);
    TN_REQUIRE(found, TN_EUNSUPPORTED, "communicator %s cannot work with ABI version %u.%u", name, TN_COMM_MAJOR,
               TN_COMM_MINOR);
    TN_TRY(tn_comm_check(found, name));
    TN_REQUIRE(name[0] == '/' || !strcmp(found->id, name), TN_EFORMAT, "communicator %s calls itself %s", name,
               found->id);
    *table = found;
    return TN_OK;
}

/* ---- all that there are ---- */

typedef struct listener {
    void (*each)(void *arg, const tn_communicator_report *report);
    void *arg;
} listener;

static void report(void *arg, const char *name)
{
    const listener *to = arg;
    const tn_communicator *table = NULL;
    tn_communicator_report found = {.name = name};
    if (tn_comm_load(name, &table)) {
        found.problem = tn_message();
    } else {
        found.version = table->version;
        found.doc = table->doc;
    }
    to->each(to->arg, &found);
}

tn_status tn_communicators(void (*each)(void *arg, const tn_communicator_report *report), void *arg)
{
    listener to = {each, arg};
    TN_GIVEN(each);
    return tn_search_names(FOLDER, VARIABLE, report, &to);
}
