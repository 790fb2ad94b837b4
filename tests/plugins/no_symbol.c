/* no_symbol: a shared library that is no backend. */
int no_symbol(void);
int no_symbol(void)
{
    return 1;
}
