/* threads.c: a queue's own threads, and pieces of a range on several of them. Each thread has a place where the queue's
 * user posts a piece. One that has not begun with it when the user is through with its own, because other programs have
 * the cores, is not waited for: the user takes the piece back. Who waits looks for a while, then sleeps. */
#include "../system.h"
#include "cpu.h"
#include "signals.h"
#include "tenon/backend_float.h"

#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

enum {
    BRIEF = 100000, /* nanoseconds that one looks before one sleeps: most gaps between pieces are shorter */
    LOOKS = 32,     /* between two looks at the clock */
    MOST_CORES = 1024
};

/* No piece, or the thread sleeps besides; posted; begun, or the user sleeps besides; the thread is to end. */
enum { IDLE, ASLEEP, POSTED, BEGUN, AWAITED, OVER };

typedef struct member {
    _Alignas(CPU_ALIGN) _Atomic int state;
    int number; /* of its pieces; the user does number 0 */
    struct cpu_team *team;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
} member;

struct cpu_team {
    cpu_body *body;
    void *arg;
    int64_t n, pieces;
    tn_float_mode mode; /* of the user's thread */
    int members, begun; /* begun: -1 before the first piece */
    member member[];
};

/* ---- states ----------------------------------------------------------------------------------------------------- */

static inline void rest(void)
{
#if defined(__SSE2__)
    _mm_pause();
#elif defined(__aarch64__) && defined(__GNUC__)
    __asm__ volatile("yield");
#endif
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int look(member *m, int from)
{
    int state = from;
    for (int i = 0; i < LOOKS && (state = atomic_load_explicit(&m->state, memory_order_acquire)) == from; i++) rest();
    return state;
}

/* Waits until the state is not `from` any more, and returns what it is. */
static int await(member *m, int from, int asleep)
{
    int state = look(m, from);
    for (const int64_t end = state == from ? now() + BRIEF : 0; state == from && now() < end; state = look(m, from))
        sched_yield();
    if (state != from) return state;
    pthread_mutex_lock(&m->lock);
    if (atomic_compare_exchange_strong(&m->state, &state, asleep))
        while ((state = atomic_load(&m->state)) == asleep) pthread_cond_wait(&m->changed, &m->lock);
    pthread_mutex_unlock(&m->lock);
    return state;
}

static void become(member *m, int state)
{
    const int before = atomic_exchange(&m->state, state);
    if (before != ASLEEP && before != AWAITED) return;
    pthread_mutex_lock(&m->lock);
    pthread_cond_signal(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

static int is_changed(member *m, int from, int to)
{
    return atomic_compare_exchange_strong(&m->state, &from, to);
}

/* ---- threads ---------------------------------------------------------------------------------------------------- */

static void run_piece(const cpu_team *t, int64_t i)
{
    t->body(t->arg, t->n * i / t->pieces, t->n * (i + 1) / t->pieces, (int)i);
}

/* Where the user had OpenMP bind threads to cores: to those of the place with the thread's number. */
static void bind(int number)
{
    const int places = omp_get_num_places(), place = places ? number % places : 0;
    const int cores = places ? omp_get_place_num_procs(place) : 0;
    int core[MOST_CORES];
    if (cores < 1 || cores > MOST_CORES || omp_get_proc_bind() == omp_proc_bind_false) return;
    omp_get_place_proc_ids(place, core);
    system_bind(core, cores);
}

static void *work(void *arg)
{
    member *m = arg;
    cpu_signals_never();
    bind(m->number);
    for (int state; (state = await(m, IDLE, ASLEEP)) != OVER;) {
        if (state != POSTED || !is_changed(m, POSTED, BEGUN)) continue;
        tn_float_end(m->team->mode);
        run_piece(m->team, m->number);
        become(m, IDLE);
    }
    return NULL;
}

/* As many as there can be: what none is there for, the user does. */
static void begin(cpu_team *t)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (t->begun = 0; t->begun < t->members; t->begun++) {
        member *m = &t->member[t->begun];
        if (pthread_create(&m->thread, NULL, work, m)) break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

cpu_team *cpu_team_new(int threads)
{
    const int members = threads - 1;
    cpu_team *t = cpu_allocate(sizeof *t + (uint64_t)members * sizeof *t->member);
    if (!t) return NULL;
    t->members = members, t->begun = -1;
    for (int i = 0; i < members; i++) {
        t->member[i] = (member){.number = i + 1, .team = t};
        pthread_mutex_init(&t->member[i].lock, NULL);
        pthread_cond_init(&t->member[i].changed, NULL);
    }
    return t;
}

void cpu_team_release(cpu_team *t)
{
    if (!t) return;
    for (int i = 0; i < t->begun; i++) become(&t->member[i], OVER);
    for (int i = 0; i < t->begun; i++) pthread_join(t->member[i].thread, NULL);
    for (int i = 0; i < t->members; i++) {
        pthread_mutex_destroy(&t->member[i].lock);
        pthread_cond_destroy(&t->member[i].changed);
    }
    cpu_release(t);
}

/* Pieces that were not begun are done here, then those that were are waited for. */
static void finish(cpu_team *t)
{
    for (int i = 0; i < t->pieces - 1; i++)
        if (is_changed(&t->member[i], POSTED, IDLE)) run_piece(t, i + 1);
    for (int i = 0; i < t->pieces - 1; i++) await(&t->member[i], BEGUN, AWAITED);
}

void cpu_parallel(const tn_queue *queue, int threads, int64_t n, cpu_body *body, void *arg)
{
    if (threads == 1 || n < 2) {
        body(arg, 0, n, 0);
        return;
    }
    cpu_team *t = queue->team;
    if (t->begun < 0) begin(t);
    t->body = body, t->arg = arg, t->n = n, t->mode = tn_float_now();
    t->pieces = min_of(threads, n);
    for (int i = 0; i < t->pieces - 1; i++) become(&t->member[i], POSTED);
    run_piece(t, 0);
    finish(t);
}

typedef struct share {
    const tn_kernel *kernel;
    const cpu_run *run;
    cpu_part *part;
} share;

static void run_share(void *arg, int64_t begin, int64_t end, int piece)
{
    const share *s = arg;
    (void)piece;
    s->part(s->kernel, s->run, begin, end);
}

void cpu_share(const tn_kernel *kernel, const cpu_run *run, double work, int64_t n, cpu_part *part)
{
    cpu_parallel(run->queue, cpu_threads(run->queue, work), n, run_share, &(share){kernel, run, part});
}
