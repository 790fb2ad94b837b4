/* loader.h: from a file to a checked table, and where the files are looked for. */
#ifndef TN_PLUGIN_LOADER_H
#define TN_PLUGIN_LOADER_H

#include <limits.h>

#include "tenon/status.h"

/* Why a file was skipped: one line. */
typedef struct tn_reason {
    char text[512];
} tn_reason;

/* Writes the reason and returns `status`. */
tn_status tn_because(tn_reason *reason, tn_status status, const char *format, ...) TN_PRINTF(3, 4);

/* Whether the loader can be trusted with the file: it is a shared library, and all of it is there. The system's own
 * loader dies of a bus error when a library was cut short. */
tn_status tn_elf_check(const char *file, tn_reason *reason);

/* Loads a file, never to unload it, and checks the table that it answers. No function of the table but the query is
 * called. */
tn_status tn_load_table(const char *file, const tn_backend **backend, tn_reason *reason);

/* Loads a file, never to unload it, and finds the one symbol that a `kind` ("backend") of plugin has. */
tn_status tn_load_symbol(const char *file, const char *symbol, const char *kind, void **found, tn_reason *reason);

/* Whether it can be the id of a plugin. Looks at no more than 32 characters, whatever the pointer leads to. */
int tn_id_well_formed(const char *id);

/* The two steps of loading: loads the file and finds its one symbol; calls that and checks the table. */
tn_status tn_load_query(const char *file, tn_backend_query_fn **query, tn_reason *reason);
tn_status tn_ask_table(tn_backend_query_fn *query, const tn_backend **backend, tn_reason *reason);

/* Everything that a host of this version needs is there, and the id is well formed. */
tn_status tn_check_table(const tn_backend *backend, tn_reason *reason);

/* What a search reports: a file to load and on whose word, or, with a reason, something that it passed over. Stops the
 * search if it fails. */
struct tn_trust;
typedef tn_status tn_found(const char *file, const char *reason, const struct tn_trust *trust);

/* The library's own folders, in order; then TENON_BACKEND_PATH. Never the working directory. */
tn_status tn_search(tn_found *found);

/* The places that tn_search looks at, for messages: their list in `text`, cut off where it doesn't fit. Returns it. */
const char *tn_search_places(char *text, size_t room);

/* The path of a file beside the library (or the program that it is linked into), links resolved, if it is there:
 * "below" is relative to the library's folder. Returns 0 if not. */
int tn_own_file(const char *below, char path[PATH_MAX]);

/* On whose word files in the library's own folders are loaded; 0 if it is not known where the library is. */
int tn_own_trust(struct tn_trust *trust);

/* The file NAME.so in the library's own folders tenon/FOLDER ("comm-1"), then in the list of absolute files and folders
 * of an environment variable. The first that is there is taken, and refused if others could change it. TN_EMISSING:
 * there is none, and the reason says where it was looked for. */
tn_status tn_search_named(const char *folder, const char *variable, const char *name, char file[PATH_MAX],
                          tn_reason *reason);

/* Calls `each` with every NAME that tn_search_named can find there, in its order; of a name in two places twice. */
tn_status tn_search_names(const char *folder, const char *variable, void (*each)(void *arg, const char *name),
                          void *arg);

/* The names of the *.so of a folder, byte by byte in order, as of scandir: their number, below 0 on failure. */
struct dirent;
int tn_list_libraries(const char *folder, struct dirent ***files);

/* The parts of a search: the *.so of a folder in the order of their names; and a list of absolute files and folders. */
tn_status tn_search_folder(const char *folder, const struct tn_trust *trust, tn_found *found);
tn_status tn_search_list(const char *list, tn_found *found);

#endif
