/* team.cl: what the work-items of a team fold together: neighbours, a group's or, where TEAM is WAVE, fewer of them,
 * who exchange registers without local memory and without a barrier. The order of a fold depends on nothing but TEAM
 * and WAVE, and all of a team come to the same.
 *
 *     TEAM_WITH                       a kernel's attribute
 *     TEAM_ROOM(T)                    among what a kernel declares first
 *     TEAM_FOLD(T, x, FOLD)           x = the fold of the team's; FOLD(a, b) may not care which is which
 *     TEAM_BEST(T, x, at, BETTER)     x = the best of the team's, at = its place, the first of several
 *
 * All work-items of a group come by, and `lane` is a work-item's number in it; T is float, int or double; of a fold also
 * float2 or double2.
 *
 * Given: GROUP; TEAM: WAVE or GROUP; how work-items exchange registers: TEAM_PTX, TEAM_SWIZZLE, TEAM_INTEL, TEAM_KHR,
 * TEAM_PLAIN, which goes by local memory; or none of these: then TEAM is GROUP. TEAM_ASM: how the compiler calls inline
 * assembly, if not __asm__. */

/* ---- TEAM_OTHER(x, d): the 32 bits of the work-item whose number differs by the bit d, a literal below WAVE ---- */

#if defined(TEAM_PTX)
/* NVIDIA. */
#define WAVE 32
#ifndef TEAM_ASM
#define TEAM_ASM __asm__
#endif
static inline uint team_other(uint x, uint d)
{
    uint other;
    TEAM_ASM volatile("shfl.sync.bfly.b32 %0, %1, %2, 0x1f, 0xffffffff;" : "=r"(other) : "r"(x), "r"(d));
    return other;
}
#define TEAM_OTHER(x, d) team_other(x, d)

#elif defined(TEAM_SWIZZLE)
/* AMD: 32 neighbours of a wave, which may have 64. */
#define WAVE 32
#define TEAM_OTHER(x, d) ((uint)__builtin_amdgcn_ds_swizzle((int)(x), (d) << 10 | 0x1f))

#elif defined(TEAM_INTEL)
#define WAVE 16
#pragma OPENCL EXTENSION cl_intel_subgroups : enable
#define TEAM_WITH __attribute__((intel_reqd_sub_group_size(16)))
#define TEAM_OTHER(x, d) intel_sub_group_shuffle_xor(x, d)

#elif defined(TEAM_KHR)
/* Sub-groups of any size that is a multiple of WAVE. */
#define WAVE 8
#pragma OPENCL EXTENSION cl_khr_subgroup_shuffle : enable
#define TEAM_OTHER(x, d) sub_group_shuffle_xor(x, (uint)(d))

#elif defined(TEAM_PLAIN)
#define WAVE 8
static inline uint team_other(__local uint *all, int lane, uint x, int d)
{
    barrier(CLK_LOCAL_MEM_FENCE);
    all[lane] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    return all[lane ^ d];
}
#define TEAM_OTHER(x, d) team_other(team_exchange, lane, x, d)
#endif
#ifndef TEAM_WITH
#define TEAM_WITH
#endif

#ifdef WAVE
#define TEAM_OTHER_float(x, d)  as_float(TEAM_OTHER(as_uint(x), d))
#define TEAM_OTHER_int(x, d)    as_int(TEAM_OTHER(as_uint(x), d))
#define TEAM_OTHER_double(x, d) as_double((uint2)(TEAM_OTHER(as_uint2(x).s0, d), TEAM_OTHER(as_uint2(x).s1, d)))
#define TEAM_OTHER_float2(x, d) (float2)(TEAM_OTHER_float((x).s0, d), TEAM_OTHER_float((x).s1, d))
#define TEAM_OTHER_double2(x, d) (double2)(TEAM_OTHER_double((x).s0, d), TEAM_OTHER_double((x).s1, d))
#define TEAM_JOIN_(a, b)        a##b
#define TEAM_JOIN(a, b)         TEAM_JOIN_(a, b)
#define TEAM_OF(T, x, d)        TEAM_JOIN(TEAM_OTHER_, T)(x, d)
#ifdef TEAM_PLAIN
#define TEAM_EXCHANGE __local uint team_exchange[GROUP];
#else
#define TEAM_EXCHANGE
#endif
/* What each wave of a group came to. */
#define TEAM_ROOM(T)                                                                                                   \
    TEAM_EXCHANGE                                                                                                      \
    __local T team_room[GROUP / WAVE];                                                                                 \
    __local int team_places[GROUP / WAVE];

#define TEAM_FOLD_ONE(T, x, FOLD, d)                                                                                   \
    if (d < WAVE) {                                                                                                    \
        const T other_ = TEAM_OF(T, x, d);                                                                             \
        x = FOLD(x, other_);                                                                                           \
    }
#define TEAM_FOLD(T, x, FOLD)                                                                                          \
    {                                                                                                                  \
        TEAM_FOLD_ONE(T, x, FOLD, 1)                                                                                   \
        TEAM_FOLD_ONE(T, x, FOLD, 2)                                                                                   \
        TEAM_FOLD_ONE(T, x, FOLD, 4)                                                                                   \
        TEAM_FOLD_ONE(T, x, FOLD, 8)                                                                                   \
        TEAM_FOLD_ONE(T, x, FOLD, 16)                                                                                  \
        if (TEAM > WAVE) {                                                                                             \
            barrier(CLK_LOCAL_MEM_FENCE);                                                                              \
            if (lane % WAVE == 0) team_room[lane / WAVE] = x;                                                          \
            barrier(CLK_LOCAL_MEM_FENCE);                                                                              \
            x = team_room[0];                                                                                          \
            for (int w_ = 1; w_ < GROUP / WAVE; w_++) x = FOLD(x, team_room[w_]);                                      \
        }                                                                                                              \
    }

#define TEAM_TAKE_BETTER(x, at, other, there, BETTER)                                                                  \
    if (BETTER(other, x) || (!BETTER(x, other) && there < at)) x = other, at = there;
#define TEAM_BEST_ONE(T, x, at, BETTER, d)                                                                             \
    if (d < WAVE) {                                                                                                    \
        const T other_ = TEAM_OF(T, x, d);                                                                             \
        const int there_ = TEAM_OTHER_int(at, d);                                                                      \
        TEAM_TAKE_BETTER(x, at, other_, there_, BETTER)                                                                \
    }
#define TEAM_BEST(T, x, at, BETTER)                                                                                    \
    {                                                                                                                  \
        TEAM_BEST_ONE(T, x, at, BETTER, 1)                                                                             \
        TEAM_BEST_ONE(T, x, at, BETTER, 2)                                                                             \
        TEAM_BEST_ONE(T, x, at, BETTER, 4)                                                                             \
        TEAM_BEST_ONE(T, x, at, BETTER, 8)                                                                             \
        TEAM_BEST_ONE(T, x, at, BETTER, 16)                                                                            \
        if (TEAM > WAVE) {                                                                                             \
            barrier(CLK_LOCAL_MEM_FENCE);                                                                              \
            if (lane % WAVE == 0) team_room[lane / WAVE] = x, team_places[lane / WAVE] = at;                           \
            barrier(CLK_LOCAL_MEM_FENCE);                                                                              \
            x = team_room[0], at = team_places[0];                                                                     \
            for (int w_ = 1; w_ < GROUP / WAVE; w_++)                                                                  \
                TEAM_TAKE_BETTER(x, at, team_room[w_], team_places[w_], BETTER)                                        \
        }                                                                                                              \
    }

#else
/* By halves, in local memory. */
#define TEAM_ROOM(T)                                                                                                   \
    __local T team_room[GROUP];                                                                                        \
    __local int team_places[GROUP];
#define TEAM_FOLD(T, x, FOLD)                                                                                          \
    {                                                                                                                  \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        team_room[lane] = x;                                                                                           \
        for (int step_ = GROUP / 2; step_; step_ /= 2) {                                                               \
            barrier(CLK_LOCAL_MEM_FENCE);                                                                              \
            if (lane < step_) team_room[lane] = FOLD(team_room[lane], team_room[lane + step_]);                        \
        }                                                                                                              \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        x = team_room[0];                                                                                              \
    }
#define TEAM_BEST(T, x, at, BETTER)                                                                                    \
    {                                                                                                                  \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        team_room[lane] = x, team_places[lane] = at;                                                                   \
        for (int step_ = GROUP / 2; step_; step_ /= 2) {                                                               \
            barrier(CLK_LOCAL_MEM_FENCE);                                                                              \
            const T other_ = team_room[lane + (lane < step_ ? step_ : 0)];                                             \
            const int there_ = team_places[lane + (lane < step_ ? step_ : 0)];                                         \
            if (lane < step_ && (BETTER(other_, x) || (!BETTER(x, other_) && there_ < at))) {                          \
                team_room[lane] = x = other_;                                                                          \
                team_places[lane] = at = there_;                                                                       \
            }                                                                                                          \
        }                                                                                                              \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        x = team_room[0], at = team_places[0];                                                                         \
    }
#endif
/* Teams of a group; a work-item's number in its own. */
#define TEAMS     (GROUP / TEAM)
#define TEAM_LANE (lane % TEAM)
