/* follow.h: logs of trainings as they grow: what is in them becomes events, each a line of JSON, which any number of
 * readers take at their own pace. A file may not be there yet, and may be replaced by another. */
#ifndef TN_CLI_FOLLOW_H
#define TN_CLI_FOLLOW_H

#include <stddef.h>

/* The events of several files. One thread looks; others take. */
typedef struct cli_follow cli_follow;

/* `paths` stay the caller's. NULL: there is no memory. Free it when nobody takes any more; NULL is fine. */
cli_follow *cli_follow_new(char *const paths[], int count);
void cli_follow_free(cli_follow *follow);

/* Reads what is new in the files. Lines that are none of a training's log are warned of and become events. Returns 0
 * when there is no memory. */
int cli_follow_look(cli_follow *follow);

/* Waits until there is an event number `index`, from 0, or some seconds have passed, or it has ended. NULL then, and
 * `*ended` says whether that is all; else a text that lives as long as what is followed. */
const char *cli_follow_take(cli_follow *follow, size_t index, double seconds, int *ended);

/* Those who wait are told that nothing more will come. */
void cli_follow_end(cli_follow *follow);

#endif
