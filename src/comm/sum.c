/* sum.c: see sum.h. */
#include "sum.h"

#include <stdio.h>
#include <string.h>

#include "add.h"
#include "alloc.h"
#include "error.h"
#include "given.h"
#include "hash.h"
#include "team_internal.h"
#include "tree.h"

enum {
    PIECE = 1 << 19, /* elements that go at once, if nothing else is said */
    ROUND = 16,      /* pieces begin at multiples of so many elements */
    BLOCK = 1 << 12  /* elements that go through the whole tree while they are in the cache */
};

/* A node that some rank holds. */
typedef struct held {
    tn_shards span;
    uint32_t rank;
    unsigned char *data; /* the whole vector; of others', which are sent, the piece that was received last */
} held;

/* Elements. */
typedef struct range {
    uint64_t begin, end;
} range;

struct tn_shard_sum {
    tn_team *team;
    int32_t dtype;
    uint32_t shards, count; /* of nodes */
    uint64_t bytes, length; /* of an element; elements of the vector */
    uint64_t piece;         /* the most elements of a piece */
    held *node;             /* in the order of their shards */
    unsigned char *total;
    unsigned char *room;    /* for what others send, */
    unsigned char *between; /* and for the sums of a block, by their places on the tree's stack */
    tn_share *share;        /* NULL: they do. Else: */
    range *asked;           /* ranges that were started, of which so many were added up */
    uint32_t asks, added, capacity;
};

/* ---- messages --------------------------------------------------------------------------------------------------- */

static uint64_t cut(const tn_shard_sum *s, range chunk, uint32_t rank)
{
    const uint64_t length = chunk.end - chunk.begin, ranks = s->team->ranks;
    const uint64_t at = (length * rank / ranks + ROUND - 1) / ROUND * ROUND;
    return chunk.begin + (at < length ? at : length);
}

static range piece_of(const tn_shard_sum *s, range chunk, uint32_t rank)
{
    return (range){cut(s, chunk, rank), cut(s, chunk, rank + 1)};
}

static uint64_t bytes_of(const tn_shard_sum *s, range r)
{
    return (r.end - r.begin) * s->bytes;
}

/* My nodes to those whose piece it is, and theirs of my piece to me. */
static tn_status scatter(const tn_shard_sum *s, range chunk)
{
    const uint32_t me = s->team->rank;
    const range mine = piece_of(s, chunk, me);
    for (uint32_t i = 0; i < s->count; i++) {
        const held *n = &s->node[i];
        if (n->rank != me && mine.begin < mine.end)
            TN_TRY(tn_team_receive(s->team, n->rank, n->data, bytes_of(s, mine)));
        for (uint32_t r = 0; r < s->team->ranks && n->rank == me; r++) {
            const range theirs = piece_of(s, chunk, r);
            if (r == me || theirs.begin == theirs.end) continue;
            TN_TRY(tn_team_send(s->team, r, n->data + theirs.begin * s->bytes, bytes_of(s, theirs)));
        }
    }
    return TN_OK;
}

/* The sum of my piece to all, and theirs to me. */
static tn_status gather(const tn_shard_sum *s, range chunk)
{
    const range mine = piece_of(s, chunk, s->team->rank);
    for (uint32_t r = 0; r < s->team->ranks; r++) {
        const range theirs = piece_of(s, chunk, r);
        if (r == s->team->rank) continue;
        if (mine.begin < mine.end)
            TN_TRY(tn_team_send(s->team, r, s->total + mine.begin * s->bytes, bytes_of(s, mine)));
        if (theirs.begin < theirs.end)
            TN_TRY(tn_team_receive(s->team, r, s->total + theirs.begin * s->bytes, bytes_of(s, theirs)));
    }
    return TN_OK;
}

/* ---- adding ----------------------------------------------------------------------------------------------------- */

/* What is on top is added to what is below it; the last addition of all makes the total. Nodes stay as they are: who
 * gave them may still compute with them. */
static void add_top(const tn_shard_sum *s, unsigned char *top[], uint32_t at, int is_last, unsigned char *to,
                    uint64_t count)
{
    unsigned char *sum = is_last ? to : s->between + (at - 1) * BLOCK * s->bytes;
    if (top[at - 1] == sum)
        tn_vector_add(s->dtype, sum, top[at], count);
    else
        tn_vector_sum(s->dtype, sum, top[at - 1], top[at], count);
    top[at - 1] = sum;
}

/* Elements of my piece, which begins at `origin`, through the tree. */
static void add_block(const tn_shard_sum *s, range block, uint64_t origin)
{
    const uint64_t count = block.end - block.begin;
    unsigned char *top[TN_TREE_DEPTH], *to = s->total + block.begin * s->bytes;
    tn_tree tree = {.shards = s->shards};
    for (uint32_t i = 0; i < s->count; i++) {
        const int is_whole = s->share || s->node[i].rank == s->team->rank;
        uint32_t at = tree.count;
        top[at] = s->node[i].data + (is_whole ? block.begin : block.begin - origin) * s->bytes;
        for (uint32_t adds = tn_tree_push(&tree, s->node[i].span); adds; adds--, at--)
            add_top(s, top, at, at == 1 && i + 1 == s->count, to, count);
    }
    if (top[0] != to) memcpy(to, top[0], count * s->bytes);
}

static void add_up(const tn_shard_sum *s, range piece)
{
    for (uint64_t at = piece.begin; at < piece.end; at += BLOCK)
        add_block(s, (range){at, at + BLOCK < piece.end ? at + BLOCK : piece.end}, piece.begin);
}

typedef struct task {
    const tn_shard_sum *sum;
    range range;
} task;

/* Chunk by chunk: the sums of one go with the nodes of the next. */
static tn_status add_range(tn_team *team, const void *args)
{
    const task *t = args;
    const tn_shard_sum *s = t->sum;
    const uint64_t step = s->piece * team->ranks;
    range last = {0, 0};
    for (range chunk = {t->range.begin, t->range.begin}; chunk.end < t->range.end || last.begin < last.end;
         last = chunk) {
        chunk.begin = chunk.end;
        chunk.end = t->range.end - chunk.begin < step ? t->range.end : chunk.begin + step;
        TN_TRY(scatter(s, chunk));
        TN_TRY(gather(s, last));
        TN_TRY(tn_team_exchange(team));
        add_up(s, piece_of(s, chunk, team->rank));
    }
    return TN_OK;
}

/* ---- where nothing is sent -------------------------------------------------------------------------------------- */

static uint32_t next_ticket(const tn_shard_sum *s)
{
    return tn_share_count(s->share, TN_SHARE_ADDED) + 1;
}

/* The range that is next, once all ranks' parts of it are there. */
static void add_next(tn_shard_sum *s)
{
    add_up(s, piece_of(s, s->asked[s->added++], s->team->rank));
    tn_share_post(s->share, TN_SHARE_ADDED);
}

/* What the others are ready for is added at once, so that little is left to wait for at the end. */
static tn_status start_shared(tn_shard_sum *s, range r, uint64_t *ticket)
{
    if (s->added == s->asks) s->added = s->asks = 0;
    TN_TRY(tn_grow(&s->asked, &s->capacity, s->asks + 1, sizeof *s->asked));
    s->asked[s->asks++] = r;
    *ticket = tn_share_post(s->share, TN_SHARE_READY);
    while (s->added < s->asks && tn_share_have_all(s->share, TN_SHARE_READY, next_ticket(s))) add_next(s);
    return tn_team_check(s->team);
}

static tn_status wait_shared(tn_shard_sum *s, uint32_t ticket)
{
    while ((int32_t)(ticket - next_ticket(s)) >= 0) {
        TN_TRY(tn_share_await(s->share, TN_SHARE_READY, next_ticket(s)));
        add_next(s);
    }
    return tn_share_await(s->share, TN_SHARE_ADDED, ticket);
}

/* ---- both ways -------------------------------------------------------------------------------------------------- */

tn_status tn_shard_sum_start(tn_shard_sum *sum, uint64_t begin, uint64_t end, uint64_t *ticket)
{
    TN_GIVEN(sum, ticket);
    TN_REQUIRE(begin <= end && end <= sum->length, TN_EINVAL, "sum: elements %llu to %llu of %llu",
               (unsigned long long)begin, (unsigned long long)end, (unsigned long long)sum->length);
    if (!sum->share) return tn_team_ask(sum->team, add_range, &(task){sum, {begin, end}}, sizeof(task), ticket);
    const uint64_t begun = tn_team_now();
    tn_status status = start_shared(sum, (range){begin, end}, ticket);
    tn_team_was_busy(sum->team, begun);
    return status;
}

tn_status tn_shard_sum_wait(tn_shard_sum *sum, uint64_t ticket)
{
    TN_GIVEN(sum);
    if (!sum->share) return tn_team_wait(sum->team, ticket);
    const uint64_t begun = tn_team_now();
    tn_status status = wait_shared(sum, (uint32_t)ticket);
    tn_team_was_busy(sum->team, begun);
    return status;
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static tn_status check(const tn_team *team, const tn_shard_sum_options *o)
{
    TN_REQUIRE(o->dtype == TN_F32 || o->dtype == TN_F64, TN_EDTYPE, "sum: element type %d; f32 and f64 can be added",
               o->dtype);
    TN_REQUIRE(o->shards && o->shards < UINT32_C(1) << 31, TN_EINVAL, "sum: of %u shards", o->shards);
    TN_GIVEN_AS("options->first", o->first);
    if (!o->share) TN_GIVEN_AS("options->total", o->total);
    TN_REQUIRE(!o->first[0] && o->first[team->ranks] == o->shards, TN_EINVAL,
               "sum: the workers' shards are %u to %u of %u", o->first[0], o->first[team->ranks], o->shards);
    for (uint32_t r = 0; r < team->ranks; r++)
        TN_REQUIRE(o->first[r] <= o->first[r + 1], TN_EINVAL, "sum: rank %u's shards begin at %u and end at %u", r,
                   o->first[r], o->first[r + 1]);
    return TN_OK;
}

static uint64_t piece_size(const tn_shard_sum_options *o)
{
    const uint64_t wanted = o->piece ? o->piece : PIECE;
    return wanted < o->count + 1 ? wanted : o->count + 1;
}

/* Who holds which nodes. */
static tn_status list_nodes(tn_shard_sum *s, const tn_shard_sum_options *o)
{
    uint32_t room = 0;
    for (uint32_t r = 0; r < s->team->ranks; r++) {
        tn_shards node[TN_TREE_DEPTH];
        const uint32_t n = tn_tree_nodes(o->shards, (tn_shards){o->first[r], o->first[r + 1]}, node);
        TN_TRY(tn_grow(&s->node, &room, s->count + n, sizeof *s->node));
        for (uint32_t i = 0; i < n; i++) s->node[s->count++] = (held){node[i], r, NULL};
    }
    return TN_OK;
}

/* How high the tree's stack grows. */
static uint32_t depth_of(const tn_shard_sum *s)
{
    uint32_t depth = 0;
    tn_tree tree = {.shards = s->shards};
    for (uint32_t i = 0; i < s->count; i++) {
        if (tree.count >= depth) depth = tree.count + 1;
        (void)tn_tree_push(&tree, s->node[i].span);
    }
    return depth;
}

static tn_status make_room(tn_shard_sum *s)
{
    s->between = tn_alloc_aligned(depth_of(s) * BLOCK * s->bytes + 1, 64);
    return s->between ? TN_OK : TN_ENOMEM;
}

uint32_t tn_shard_sum_part(const uint32_t *first, uint32_t rank, tn_shards node, uint32_t number)
{
    const int is_last_shard = node.end == first[rank + 1] && node.end - node.begin == 1;
    return is_last_shard ? 0 : number + 1;
}

uint32_t tn_shard_sum_parts(uint32_t shards, const uint32_t *first, uint32_t ranks)
{
    uint32_t parts = 1;
    for (uint32_t r = 0; r < ranks; r++) {
        tn_shards node[TN_TREE_DEPTH];
        const uint32_t count = tn_tree_nodes(shards, (tn_shards){first[r], first[r + 1]}, node);
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t part = tn_shard_sum_part(first, r, node[i], i);
            if (part >= parts) parts = part + 1;
        }
    }
    return parts;
}

static tn_status place_shared(tn_shard_sum *s, const tn_shard_sum_options *o)
{
    const uint32_t parts = tn_shard_sum_parts(o->shards, o->first, s->team->ranks);
    TN_REQUIRE(parts <= tn_share_parts(s->share), TN_EINVAL, "sum: a share of %u parts, not %u",
               tn_share_parts(s->share), parts);
    s->total = tn_share_total(s->share);
    for (uint32_t i = 0, number = 0; i < s->count; i++, number++) {
        held *n = &s->node[i];
        if (i && n->rank != s->node[i - 1].rank) number = 0;
        n->data = tn_share_part(s->share, n->rank, tn_shard_sum_part(o->first, n->rank, n->span, number));
    }
    return TN_OK;
}

/* My nodes are the caller's; for the others' there is room for a piece each. */
static tn_status place_nodes(tn_shard_sum *s, const tn_shard_sum_options *o)
{
    uint32_t mine = 0, theirs = 0;
    for (uint32_t i = 0; i < s->count; i++) theirs += s->node[i].rank != s->team->rank;
    const uint64_t bytes = (s->piece + ROUND) * s->bytes;
    s->room = tn_alloc_aligned(theirs * bytes, 64);
    if (!s->room) return TN_ENOMEM;
    theirs = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        held *n = &s->node[i];
        n->data = n->rank != s->team->rank ? s->room + theirs++ * bytes : o->node ? o->node[mine++] : NULL;
        TN_REQUIRE(n->data, TN_EINVAL, "sum: the vector of node %u is NULL", mine ? mine - 1 : 0);
    }
    return TN_OK;
}

/* Where the ranks' blocks begin, "0 3 5 8"; of many ranks their number, and one that all of them make. */
static void write_blocks(const uint32_t *first, uint32_t count, char *text, size_t room)
{
    uint64_t hash = TN_HASH_EMPTY;
    size_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        hash = tn_hash_bytes(hash, &first[i], sizeof first[i]);
        if (used < room) used += (size_t)snprintf(text + used, room - used, "%s%u", i ? " " : "", first[i]);
    }
    if (used >= room)
        snprintf(text, room, "%u in %u blocks, %016llx", first[count - 1], count - 1, (unsigned long long)hash);
}

static tn_status agree(const tn_shard_sum *s, const tn_shard_sum_options *o)
{
    char dtype[16], shards[16], count[24], piece[24], blocks[80];
    snprintf(dtype, sizeof dtype, "%d", o->dtype);
    snprintf(shards, sizeof shards, "%u", o->shards);
    snprintf(count, sizeof count, "%llu", (unsigned long long)o->count);
    snprintf(piece, sizeof piece, "%llu", (unsigned long long)s->piece);
    write_blocks(o->first, s->team->ranks + 1, blocks, sizeof blocks);
    const tn_fact facts[] = {{"the number of shards", shards},
                             {"the sum's element type", dtype},
                             {"the sum's elements", count},
                             {"the sum's pieces", piece},
                             {"the workers' shards", blocks}};
    return tn_team_agree(s->team, facts, sizeof facts / sizeof *facts);
}

/* What only one rank meets must not leave the others waiting. */
tn_status tn_shard_sum_open(tn_team *team, const tn_shard_sum_options *options, tn_shard_sum **sum)
{
    TN_GIVEN(team, options, sum);
    tn_status status = check(team, options);
    tn_shard_sum *s = status ? NULL : tn_alloc(sizeof *s);
    if (!status && !s) status = TN_ENOMEM;
    if (s)
        *s = (tn_shard_sum){.team = team,
                            .dtype = options->dtype,
                            .shards = options->shards,
                            .bytes = tn_dtype_size(options->dtype),
                            .length = options->count,
                            .piece = piece_size(options),
                            .share = options->share,
                            .total = options->total};
    if (!status) status = list_nodes(s, options);
    if (!status) status = make_room(s);
    if (!status) status = s->share ? place_shared(s, options) : place_nodes(s, options);
    if (status) tn_team_fail(team, status, tn_message());
    if (!status) status = agree(s, options);
    if (status) {
        tn_shard_sum_close(s);
        return status;
    }
    *sum = s;
    return TN_OK;
}

void tn_shard_sum_close(tn_shard_sum *sum)
{
    if (!sum) return;
    tn_free(sum->node);
    tn_free(sum->room);
    tn_free(sum->between);
    tn_free(sum->asked);
    tn_free(sum);
}
