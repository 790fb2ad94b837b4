/* probe.h: a backend is tried in a process of its own before it runs in this one, so that one which crashes, hangs or
 * ends its process is a line in a list and no more. */
#ifndef TN_PLUGIN_PROBE_H
#define TN_PLUGIN_PROBE_H

#include "loader.h"

/* How far a file is tried. */
enum { TN_PROBE_LOAD = 1, TN_PROBE_START };

/* TN_OK if the file may be run so far in this process, else the reason; without one, there was no memory. Each file is tried once: the verdict is kept in
 * the disk cache, for this file's size and time and this machine's drivers, as far as they can be told. Without a cache
 * that can be written the files of the library's own folders (`own`) are not tried. Nor is anything where tenon-probe
 * is not installed beside the library, or for set-user-id programs.
 *
 * Options of "tenon", set by tn_backend_option: "probe" is "again" (whatever was kept) or "off"; "probe_seconds", how
 * long a trial may take, 30 if not set.
 *
 * Starts the program by posix_spawn, in a process group of its own, with no file of this process open; waits for it and
 * leaves nothing behind. Safe in programs with threads; one thread at a time, which the registry's lock sees to. */
tn_status tn_probe(const char *file, uint32_t depth, int own, tn_reason *reason);

#endif
