/* main.c: tenon-probe FILE load|start [BACKEND KEY VALUE]...: tries a backend on behalf of the library, which starts
 * this program before it runs the file in its own process. It says in memory that it shares with the library what it is
 * about to do; if it ends before it says that all is done, the backend is to blame. An error that the backend reports
 * is none here: the library will meet it, too, and tell of it. */
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host.h"
#include "loader.h"
#include "options.h"
#include "system.h"
#include "trial.h"

#define MOST_DEVICES 256

static volatile tn_trial *trial;

/* Ends with the library's process, leaves no core file, and has none of its files open. */
static int settle(void)
{
    const struct rlimit none = {0, 0};
    tn_system_end_with_parent();
    setrlimit(RLIMIT_CORE, &none);
    trial = mmap(NULL, sizeof *trial, PROT_READ | PROT_WRITE, MAP_SHARED, TN_TRIAL_FILE, 0);
    tn_system_close_from(TN_TRIAL_FILE);
    return trial != MAP_FAILED;
}

/* The newest come first, and the last that is set holds. */
static tn_status set_options(char **option, int count)
{
    tn_status status = TN_OK;
    for (int i = count - 3; !status && i >= 0; i -= 3) status = tn_option_set(option[i], option[i + 1], option[i + 2]);
    return status;
}

static void start(const tn_backend *backend)
{
    static tn_host host;
    tn_device_info info;
    uint32_t count = 0;
    host = tn_host_for(backend->id);
    trial->stage = TN_STAGE_INIT;
    if (backend->init(&host, NULL)) return;
    trial->stage = TN_STAGE_COUNT;
    if (backend->device_count(&count, NULL)) return;
    trial->stage = TN_STAGE_DESCRIBE;
    for (uint32_t i = 0; i < count && i < MOST_DEVICES; i++) {
        info = (tn_device_info){.size = sizeof info};
        if (backend->device_info(i, &info, NULL)) continue;
    }
}

static void try(const char *file, int all)
{
    tn_reason reason;
    tn_backend_query_fn *query = NULL;
    const tn_backend *backend = NULL;
    trial->stage = TN_STAGE_LOAD;
    if (tn_load_query(file, &query, &reason)) return;
    trial->stage = TN_STAGE_QUERY;
    if (tn_ask_table(query, &backend, &reason)) return;
    if (all) start(backend);
}

/* Does not stay for what libraries do at the end of a process. */
int main(int argc, char **argv)
{
    if (argc < 3 || !settle() || set_options(argv + 3, argc - 3)) _exit(1);
    try(argv[1], !strcmp(argv[2], TN_TRIAL_START));
    trial->stage = TN_STAGE_DONE;
    _exit(0);
}
