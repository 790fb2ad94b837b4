/* share.h: vectors that all ranks of a team see, where they are on one host: each finds what the others have computed
 * where it lies, and nothing is sent. Two counts for each rank say how far it has come; whoever waits for one sleeps.
 */
#ifndef TN_COMM_SHARE_H
#define TN_COMM_SHARE_H

#include "team.h"

typedef struct tn_share tn_share;

/* All ranks call it with the same numbers: `parts` vectors for each rank and one for all, of `bytes` bytes, zeroed, at
 * multiples of 4096.
 * *share is NULL on all of them if they cannot have such memory together: on several hosts, or of users who may not see
 * one another's. It is no part of the team: tn_share_close, NULL is fine, waits for nobody, and what others use stays
 * theirs. */
TN_MUST_USE tn_status tn_share_open(tn_team *team, uint32_t parts, uint64_t bytes, tn_share **share);
void tn_share_close(tn_share *share);

uint32_t tn_share_parts(const tn_share *share); /* 0 for NULL */
void *tn_share_part(const tn_share *share, uint32_t rank, uint32_t part);
void *tn_share_total(const tn_share *share); /* the one for all */

/* What a rank counts: ranges of which its own parts are there; those of which its piece of the total is. */
enum { TN_SHARE_READY, TN_SHARE_ADDED, TN_SHARE_COUNTS };

/* This rank comes one further; what it wrote before is seen by those who hear of it. Returns its count, which is what
 * tn_share_count says. Whether all have come so far, and to wait until they have or the team fails. One thread of a
 * rank at a time. Counts go round: they are compared by their difference. */
uint32_t tn_share_post(tn_share *share, int what);
uint32_t tn_share_count(const tn_share *share, int what);
int tn_share_have_all(const tn_share *share, int what, uint32_t count);
TN_MUST_USE tn_status tn_share_await(tn_share *share, int what, uint32_t count);

#endif
