/* upload.c: inputs that are filled while the device computes: a queue of their own, and events between it and the
 * state's queue, so that the host waits for neither. Two turns alternate; an event stands for the runs that a turn's
 * bytes were for, another for their copies. */
#include <string.h>

#include "error.h"
#include "given.h"
#include "program.h"
#include "upload.h"

enum { TURNS = 2 };

struct tn_upload {
    tn_program *program;
    tn_queue *queue;
    tn_event *used[TURNS];  /* recorded in the state's queue at the beginning of a turn */
    tn_event *there[TURNS]; /* recorded in the upload's own at its end */
    uint64_t turn;
    int waited; /* for all copies so far */
};

static const tn_device *device_of(const tn_upload *u)
{
    return u->program->place[0].device;
}

static tn_status record(const tn_upload *u, tn_queue *queue, tn_event *event)
{
    TN_MESSAGE(msg);
    return tn_device_status(device_of(u), device_of(u)->backend->event_record(queue, event, &msg), &msg);
}

static tn_status let_wait(const tn_upload *u, tn_queue *queue, tn_event *event)
{
    TN_MESSAGE(msg);
    return tn_device_status(device_of(u), device_of(u)->backend->event_wait(queue, event, &msg), &msg);
}

static tn_status make(tn_upload *u)
{
    const tn_device *device = device_of(u);
    TN_TRY(tn_queue_make(device, &u->queue));
    for (int i = 0; i < TURNS; i++) {
        TN_MESSAGE(msg);
        int32_t code = device->backend->event_create(device->context, &u->used[i], &msg);
        if (!code) code = device->backend->event_create(device->context, &u->there[i], &msg);
        TN_TRY(tn_device_status(device, code, &msg));
    }
    return record(u, u->program->place[0].queue, u->used[TURNS - 1]);
}

tn_status tn_upload_new(tn_program *program, tn_upload **upload)
{
    TN_GIVEN(program, upload);
    tn_upload *u = tn_alloc(sizeof *u);
    if (!u) return TN_ENOMEM;
    u->program = program;
    tn_status s = make(u);
    if (s)
        tn_upload_free(u);
    else
        *upload = u;
    return s;
}

/* What is under way is done first: it reads the host's memory. */
void tn_upload_free(tn_upload *u)
{
    if (!u) return;
    const tn_backend *backend = device_of(u)->backend;
    if (u->queue) (void)backend->queue_sync(u->queue, NULL);
    for (int i = 0; i < TURNS; i++) {
        if (u->used[i]) backend->event_destroy(u->used[i]);
        if (u->there[i]) backend->event_destroy(u->there[i]);
    }
    if (u->queue) backend->queue_destroy(u->queue);
    tn_free(u);
}

static tn_status put(tn_upload *u, tn_program *p, const tn_piece *piece, int *found)
{
    TN_MESSAGE(msg);
    TN_REQUIRE(piece->input, TN_EINVAL, "tn_upload_next: a piece's input is NULL");
    tn_value *value = tn_program_input(p, piece->input);
    *found |= tn_program_declared(p, piece->input) != NULL;
    if (!value) return TN_OK;
    value->fed = 1;
    TN_REQUIRE(piece->data || !piece->bytes, TN_EINVAL, "tn_upload_next: data of input '%s' is NULL", piece->input);
    TN_REQUIRE(piece->offset <= value->bytes && piece->bytes <= value->bytes - piece->offset, TN_ESHAPE,
               "input '%s' has %llu bytes, no %llu from %llu on", piece->input, (unsigned long long)value->bytes,
               (unsigned long long)piece->bytes, (unsigned long long)piece->offset);
    tn_ref to = tn_program_ref(p, value);
    to.offset += piece->offset;
    p->report.bytes_to_device += piece->bytes;
    return tn_device_status(device_of(u), device_of(u)->backend->write(u->queue, to, piece->data, piece->bytes, &msg),
                            &msg);
}

/* What is copied next comes after the runs that read its place: of an input in two turns those before the last turn, of
 * others all so far. The host waits only if it is two turns ahead. */
static tn_status begin(tn_upload *u, int in_turns)
{
    TN_MESSAGE(msg);
    const uint64_t now = u->turn % TURNS, before = (u->turn + 1) % TURNS;
    u->waited = 0;
    TN_TRY(tn_device_status(device_of(u), device_of(u)->backend->event_sync(u->there[now], &msg), &msg));
    if (in_turns) TN_TRY(let_wait(u, u->queue, u->used[before]));
    TN_TRY(record(u, u->program->place[0].queue, u->used[now]));
    return in_turns ? TN_OK : let_wait(u, u->queue, u->used[now]);
}

static tn_status next(tn_upload *u, tn_program *p, int in_turns, const tn_piece pieces[], size_t count)
{
    tn_event *there = u->there[u->turn % TURNS];
    int found = 0;
    TN_TRY(begin(u, in_turns));
    for (size_t i = 0; i < count; i++) TN_TRY(put(u, p, &pieces[i], &found));
    TN_TRY(record(u, u->queue, there));
    TN_TRY(let_wait(u, p->place[0].queue, there));
    u->turn++;
    TN_REQUIRE(found || !count, TN_EMISSING, "no input '%s' in the program", pieces[0].input);
    return TN_OK;
}

tn_status tn_upload_next(tn_upload *u, const tn_piece pieces[], size_t count)
{
    TN_GIVEN_AS("upload, pieces", u, pieces);
    return next(u, u->program, 1, pieces, count);
}

tn_status tn_upload_after(tn_upload *u, tn_program *program, const tn_piece pieces[], size_t count)
{
    return next(u, program, 0, pieces, count);
}

tn_status tn_upload_wait(tn_upload *u)
{
    TN_GIVEN_AS("upload", u);
    TN_MESSAGE(msg);
    if (u->waited) return TN_OK;
    TN_TRY(tn_device_status(device_of(u), device_of(u)->backend->queue_sync(u->queue, &msg), &msg));
    u->waited = 1;
    return TN_OK;
}
