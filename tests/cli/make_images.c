/* make_images: folders of images to learn from: FOLDER/CLASS/NUMBER.png for each class named, where one channel is
 * brighter than the others; every third image has another size.
 *
 *     make_images FOLDER COUNT SIZE CLASS... */
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { MOST = 256 };

static unsigned draw(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

static int make(const char *path, unsigned size, int bright, unsigned *seed)
{
    static unsigned char pixel[MOST * MOST * 3];
    png_image image = {.version = PNG_IMAGE_VERSION, .width = size, .height = size, .format = PNG_FORMAT_RGB};
    for (unsigned i = 0; i < size * size * 3; i++)
        pixel[i] = (unsigned char)(draw(seed) % 120 + ((int)(i % 3) == bright % 3 ? 80 : 0));
    return png_image_write_to_file(&image, path, 0, pixel, 0, NULL);
}

int main(int argc, char **argv)
{
    char path[1000];
    unsigned seed = 1;
    const int count = argc > 4 ? atoi(argv[2]) : 0, size = argc > 4 ? atoi(argv[3]) : 0;
    if (count < 1 || size < 1 || size + 2 > MOST) return 2;
    (void)mkdir(argv[1], 0755);
    for (int c = 4; c < argc; c++) {
        snprintf(path, sizeof path, "%s/%s", argv[1], argv[c]);
        (void)mkdir(path, 0755);
        for (int i = 0; i < count; i++) {
            snprintf(path, sizeof path, "%s/%s/%06d.png", argv[1], argv[c], i);
            if (!make(path, (unsigned)(i % 3 == 2 ? size + 2 : size), c, &seed)) return 1;
        }
    }
    return 0;
}
