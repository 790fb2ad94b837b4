"""Pictures of all kinds, drawn at random, are read as Pillow reads them; skipped where Python has no Pillow."""

import ctypes
import os
import random
import tempfile
import unittest

import runner
from tenon import c, lib

try:
    from PIL import Image, ImageOps
except ImportError:
    Image = None

NEAR = 2  # levels: decoders of JPEG may round otherwise


def drawn(mode, width, height, seed):
    """Soft blobs and noise, the same for a seed."""
    r = random.Random(seed)
    small = Image.new("CMYK" if mode == "CMYK" else "RGBA", (5, 4))
    small.putdata([tuple(r.randrange(256) for _ in range(4)) for _ in range(20)])
    picture = small.resize((width, height), Image.BICUBIC)
    if mode == "P":
        return picture.convert("RGB").quantize(19)
    if mode == "1":
        return picture.convert("L").point(lambda v: 255 * (v > 120)).convert("1")
    return picture if mode in ("CMYK", "RGBA") else picture.convert("RGB").convert(mode)


def read(path, channels, width, height):
    """As (channels, height, width), in the picture's own size."""
    shape = c.tn_shape(rank=3)
    shape.dim[0:3] = channels, height, width
    out = (ctypes.c_uint8 * (channels * height * width))()
    if lib.tn_image_read(os.fsencode(path), ctypes.byref(shape), out):
        raise AssertionError(lib.tn_message())
    return list(out)


def planes(picture):
    return [v for band in picture.split() for v in band.getdata()]


@unittest.skipUnless(Image, "no Pillow")
class Pictures(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def check(self, name, picture, want, near=0, **how):
        path = os.path.join(self.folder.name, name)
        picture.save(path, **how)
        if want is None:
            with Image.open(path) as written:
                want = ImageOps.exif_transpose(written)
        for mode in ("RGB", "L"):
            wanted = planes(want.convert("RGB").convert(mode))
            got = read(path, len(mode) if mode == "RGB" else 1, want.width, want.height)
            worst = max(abs(a - b) for a, b in zip(wanted, got))
            self.assertEqual(len(got), len(wanted))
            self.assertLessEqual(worst, near, f"{name} {how} as {mode}")

    def test_png_of_every_mode(self):
        for seed, mode in enumerate(("1", "L", "LA", "P", "RGB", "RGBA")):
            self.check(mode + ".png", drawn(mode, 31 + seed, 17, seed), None)

    def test_png_whose_palette_is_partly_transparent(self):
        self.check("t.png", drawn("P", 20, 30, 7), None, transparency=3)

    def test_png_of_sixteen_bits(self):
        r = random.Random(8)
        level = [r.randrange(65536) for _ in range(23 * 11)]
        picture, want = Image.new("I;16", (23, 11)), Image.new("L", (23, 11))
        picture.putdata(level)
        want.putdata([(v * 255 + 32767) // 65535 for v in level])
        self.check("16.png", picture, want, near=1)

    def test_jpeg_of_every_mode(self):
        for seed, mode in enumerate(("L", "RGB", "CMYK")):
            for how in ({}, {"progressive": True}, {"quality": 30}, {"subsampling": 0}, {"optimize": True}):
                self.check(mode + ".jpg", drawn(mode, 45, 38 + seed, seed), None, NEAR, **how)

    def test_pictures_of_cameras_stand_upright(self):
        for way in range(1, 9):
            for order in (b"II*\0", b"MM\0*"):
                exif = Image.Exif()
                exif.endian = "<" if order[0] == 73 else ">"
                exif[0x010F], exif[0x0112] = "a camera", way
                with self.subTest(way=way, order=order):
                    self.check("turned.jpg", drawn("RGB", 40, 24, way), None, NEAR, exif=exif, quality=95)

    def test_what_is_no_orientation_turns_nothing(self):
        for exif in (b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x09\0\0\0"):
            stored = drawn("RGB", 16, 8, 3)
            path = os.path.join(self.folder.name, "odd.jpg")
            stored.save(path, exif=exif)
            self.assertEqual(len(read(path, 3, 16, 8)), 3 * 16 * 8)
            with Image.open(path) as written:
                worst = max(abs(a - b) for a, b in zip(planes(written), read(path, 3, 16, 8)))
            self.assertLessEqual(worst, NEAR)


if __name__ == "__main__":
    runner.main()
