/* names.h: from what a user calls a device to the device. Called while the registry's lock is held. */
#ifndef TN_PLUGIN_NAMES_H
#define TN_PLUGIN_NAMES_H

#include "registry.h"

/* Finds the one device that `name` fits: "id" of a backend with one device, "id:index", a device's stable id, a part
 * of its human name, in this order. Loads and initialises no more backends than
 * it takes: the first two need one alone, if its file is called so. */
tn_status tn_find_device(const char *name, tn_entry **entry, tn_slot **slot);

/* Refuses options of backends that there are not. A backend is loaded for this only if no file is called so. */
tn_status tn_find_owners(void);

#endif
