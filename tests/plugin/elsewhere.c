/* elsewhere.c: a program that leaves its folder before it uses the library. usage: elsewhere DEVICE */
#include <stdio.h>
#include <unistd.h>

#include "tenon/tenon.h"

int main(int argc, char **argv)
{
    tn_device *device = NULL;
    if (argc != 2 || chdir("/")) return 2;
    tn_status s = tn_device_open(argv[1], &device);
    puts(s ? tn_message() : tn_device_name(device));
    tn_device_close(device);
    return s != TN_OK;
}
