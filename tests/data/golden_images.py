"""Writes golden_images.inc: an image scaled by Pillow: what a sample of another size should be, to one level.
usage: python3 golden_images.py >golden_images.inc"""
from PIL import Image, ImageOps

WIDTH, HEIGHT = 12, 8
image = Image.new("RGB", (WIDTH, HEIGHT))
image.putdata([tuple((x * x * 5 + y * 23 + c * 60 + (x + c) * y * 3) % 256 for c in range(3))
               for y in range(HEIGHT) for x in range(WIDTH)])
print("/* golden_images.inc: by golden_images.py. */")
for mode, (height, width) in (("RGB", (8, 12)), ("L", (8, 12)), ("RGB", (4, 4)), ("L", (5, 3)), ("RGB", (9, 14))):
    small = image.convert(mode)
    if (height, width) != (HEIGHT, WIDTH):
        small = ImageOps.fit(small, (width, height), Image.BILINEAR)
    planes = [list(plane.getdata()) for plane in small.split()]
    print(f"{{{{3, {{{len(planes)}, {height}, {width}}}}},")
    print(" {" + ", ".join(str(level) for plane in planes for level in plane) + "}},")
