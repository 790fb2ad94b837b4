/* work.c: see work.h. */
#include "work.h"

#include "options.h"

#include <stdio.h>

static int was_worker;

void cli_be_worker(void)
{
    was_worker = 1;
}

int cli_was_worker(void)
{
    return was_worker;
}

static int open_team(tn_team **team)
{
    if (tn_team_open(NULL, team)) return cli_failed();
    if (tn_team_communicator(*team)) cli_be_worker();
    if (tn_team_rank(*team) && (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)))
        return CLI_FAILED;
    return CLI_GO_ON;
}

static void tell_others(tn_team *team)
{
    char why[1024];
    cli_last_failure(why, sizeof why);
    tn_team_fail(team, TN_EINVAL, why);
}

int cli_work(cli_task *task, int argc, char **argv)
{
    tn_team *team = NULL;
    int known = 0, status = open_team(&team);
    if (status == CLI_GO_ON) status = task(team, argc, argv, &known);
    int failed = status != CLI_OK && status < CLI_SIGNAL;
    if (failed && !known && tn_team_size(team) > 1 && !tn_team_check(team)) tell_others(team);
    tn_team_close(team);
    return status;
}
