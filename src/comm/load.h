/* load.h: finds and loads a communicator. */
#ifndef TN_COMM_LOAD_H
#define TN_COMM_LOAD_H

#include "tenon/comm.h"
#include "tenon/status.h"

/* The table of the communicator of that name (tenon/comm-1/NAME.so beside the library, then TENON_COMM_PATH), or in
 * that file, if it begins with '/'. What others could change is not loaded. Loaded files stay. */
TN_MUST_USE tn_status tn_comm_load(const char *name, const tn_communicator **table);

/* Everything that a host of this version needs is there. `name`: what to call it in messages. */
TN_MUST_USE tn_status tn_comm_check(const tn_communicator *table, const char *name);

/* The communicator of the launcher that started this process (mpirun), by what it left in the environment; or NULL. */
const char *tn_comm_launched(void);

#endif
