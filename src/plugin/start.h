/* start.h: from a loaded backend to its list of devices. */
#ifndef TN_PLUGIN_START_H
#define TN_PLUGIN_START_H

#include "alloc.h"
#include "loader.h"
#include "registry.h"

/* Initialises the backend and lists its devices, in the region. What it says is checked: a device whose description
 * makes no sense is left out with a warning. A failure of the backend is given as the reason; without a reason the
 * failure is this library's own lack of memory. After a failure the backend is not initialised. */
TN_MUST_USE tn_status tn_start(tn_entry *entry, tn_region *region, tn_reason *reason);

#endif
