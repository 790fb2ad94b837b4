/* harness.h: what the tests of the loader share: a folder of their own, copies of plugins in it, the log's lines. */
#ifndef TN_TESTS_PLUGIN_HARNESS_H
#define TN_TESTS_PLUGIN_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tenon/device.h"

/* Set-up and tear-down of each test: an empty folder that becomes the cache's too, no TENON_BACKEND_PATH, nothing
 * loaded, the log recorded. */
int begin(void **state);
int end(void **state);

/* A path in the test's folder; three are kept at a time. */
const char *in_folder(const char *name);

/* Copies a built plugin ("null") into the test's folder under a name; cuts it to `bytes` bytes if that isn't 0. */
void copy_plugin(const char *plugin, const char *name, long bytes);
void write_text(const char *name, const char *text);

/* Where built plugins lie: "null" -> "/.../null.so". */
const char *built(const char *plugin);

/* Sets TENON_BACKEND_PATH to the built plugins of these names, separated by spaces, and forgets what was loaded. */
void use(const char *plugins);

/* Forgets what was loaded, which needs that no device is open. */
void forget(void);

/* The report on a file by the end of its path; fails the test if there is none. */
tn_backend_report report_on(const char *file);

/* Whether a line of the log has all of that text in it. */
int logged(const char *text);

#endif
