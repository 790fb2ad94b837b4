/* no_watch.c: `tenon watch` of a command that was built without libmicrohttpd. */
#include "options.h"

int cli_watch(int argc, char **argv)
{
    static const char doc[] =
        "Shows trainings as they go, on a page; but this command was built without libmicrohttpd.";
    cli_option options[] = {{.kind = CLI_END}};
    int files = 0;
    const int status = cli_parse(&(cli_syntax){"watch", "FILE...", doc, NULL, options}, argc, argv, &files);
    if (status != CLI_GO_ON) return status;
    return cli_fail("this command was built without libmicrohttpd, which shows the page: install it (Debian's "
                    "libmicrohttpd-dev) and build again; 'tenon train --report FILE.html' writes a page at the end");
}
