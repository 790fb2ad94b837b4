/* steps.c: see steps.h. The note is JSON within JSON: a file's notes are texts. */
#include "steps.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>

#include "error.h"
#include "safetensors.h"

#define MOST_STEPS 0x1p53 /* JSON's numbers are doubles */

void tn_steps_save(tn_json *json, const tn_state *state)
{
    tn_json steps = {0};
    tn_state_entry entry;
    uint64_t step;
    for (size_t i = 0; tn_state_at(state, i, &entry); i++) {
        if (!tn_state_param_step(state, entry.name, &step)) continue;
        tn_json_add(&steps, steps.used ? "," : "{");
        tn_json_string(&steps, entry.name);
        tn_json_add(&steps, ":%" PRIu64, step);
    }
    if (steps.used) {
        tn_json_add(&steps, "}");
        tn_json_add(json, ",\"" TN_NOTE_STEPS "\":");
        tn_json_string(json, steps.status ? "" : steps.text);
    }
    if (!json->status) json->status = steps.status;
    tn_json_free(&steps);
}

tn_status tn_steps_check(const char *path, const char *note)
{
    const cJSON *item = NULL;
    cJSON *steps = cJSON_Parse(note);
    int fits = cJSON_IsObject(steps);
    cJSON_ArrayForEach(item, steps)
    {
        double step = cJSON_GetNumberValue(item);
        fits = fits && step >= 0 && step <= MOST_STEPS && step == floor(step);
    }
    cJSON_Delete(steps);
    TN_REQUIRE(fits, TN_EFORMAT, "%s: note '" TN_NOTE_STEPS "' is '%.40s' where steps of parameters were expected",
               path, note);
    return TN_OK;
}

tn_status tn_steps_load(const char *note, tn_state *state)
{
    const cJSON *item = NULL;
    tn_state_entry entry;
    cJSON *steps = cJSON_Parse(note);
    tn_status status = steps ? tn_state_set_param_step(state, NULL, 0) : TN_ENOMEM;
    cJSON_ArrayForEach(item, steps)
    {
        if (status || !tn_state_find(state, item->string, &entry)) continue;
        status = tn_state_set_param_step(state, item->string, (uint64_t)cJSON_GetNumberValue(item));
    }
    cJSON_Delete(steps);
    return status;
}
