/* auto.h: the fastest device. Called while the registry's lock is held. */
#ifndef TN_PLUGIN_AUTO_H
#define TN_PLUGIN_AUTO_H

#include "registry.h"

/* Opens and closes a slot's device. */
tn_status tn_slot_open(tn_entry *entry, tn_slot *slot, tn_device **device);
void tn_slot_close(tn_device *device);

/* Opens the device with the best measured speed; the reference, if no other can be measured and opened. */
tn_status tn_auto_open(tn_device **device);

#endif
