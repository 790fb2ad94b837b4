#!/usr/bin/env python3
"""How many digits `tenon predict` reads off pictures that aren't framed as the training set is. See README.md beside
this file.

  digits.py draw FOLDER [--mnist DIR]   draws the pictures, always the same: FOLDER/KIND/NUMBER-DIGIT.png, of four kinds:
      paper    50 digits of five fonts, at 30 % of the canvas, off its middle, on off-white paper
      drawn    200 digits of fonts, sizes, places, papers, pens, turned a little, lit from a side, with noise
      pasted   500 of MNIST's test pictures, 1 to 6 times as large, anywhere on black, white or off-white, with noise
      framed   the same 500 as MNIST has them
  digits.py score FOLDER MODEL [OPTION...]   counts what `tenon predict --model MODEL OPTION...` reads right
"""
import gzip
import json
import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FONTS = "/usr/share/fonts/truetype/dejavu/DejaVu"
PLAIN = ["Sans", "Serif", "SansMono", "Sans-Bold", "Serif-Bold"]
ALL = PLAIN + ["SansMono-Bold", "Sans-Oblique", "Serif-Italic", "SansCondensed", "SerifCondensed", "Sans-ExtraLight"]
SEED = 1


class Paper:
    """A grey canvas with noise; `at` takes a mask of ink, from 0 to 255."""
    field = None  # of noise: made once, cut anywhere

    def __init__(self, chance, width, height, paper, ink, noise):
        self.chance, self.ink, self.noise = chance, ink, noise
        self.canvas = Image.new("L", (width, height), paper)

    def at(self, mask, left, top):
        self.canvas.paste(self.ink, (left, top, left + mask.width, top + mask.height), mask)
        return self

    def light(self, levels):
        """Makes the right side, or the left, darker by up to so many levels."""
        shade = Image.linear_gradient("L").rotate(self.chance.choice([90, 270])).resize(self.canvas.size)
        self.canvas = ImageChops.subtract(self.canvas, shade.point(lambda level: round(level * levels / 255)))

    def save(self, path):
        width, height = self.canvas.size
        if not Paper.field:
            levels = random.Random(SEED)
            Paper.field = Image.new("L", (700, 700))
            Paper.field.putdata([min(255, max(0, round(levels.gauss(128, 40)))) for _ in range(700 * 700)])
        x, y, share = self.chance.randrange(700 - width), self.chance.randrange(700 - height), self.noise / 40
        cut = Paper.field.crop((x, y, x + width, y + height)).point(lambda level: round(128 + share * (level - 128)))
        ImageChops.add(self.canvas, cut, offset=-128).save(path)


def glyph(digit, font, height, pen=0, turn=0):
    """A mask of the digit, about as high as that, cropped to its ink."""
    face = ImageFont.truetype(FONTS + font + ".ttf", round(height / 0.73))
    mask = Image.new("L", (3 * height + 8, 3 * height + 8))
    ImageDraw.Draw(mask).text((height, height // 2), str(digit), 255, face, stroke_width=pen)
    mask = mask.rotate(turn, Image.BICUBIC)
    return mask.crop(mask.getbbox())


def anywhere(chance, room, used):
    return chance.randint(0, max(0, room - used))


def draw_paper(chance, folder):
    for i in range(50):
        width, height = chance.choice([(100, 100), (200, 200), (320, 240), (400, 400)])
        mask = glyph(i % 10, PLAIN[i // 10], round(0.3 * height))
        middle = True
        while middle:  # off it by a tenth of the canvas at least
            left, top = anywhere(chance, width, mask.width), anywhere(chance, height, mask.height)
            middle = abs(left + mask.width / 2 - width / 2) < width / 10
        paper = Paper(chance, width, height, chance.randint(225, 250), chance.randint(0, 60), chance.uniform(0, 3))
        paper.at(mask, left, top).save(f"{folder}/{i:03}-{i % 10}.png")


def draw_drawn(chance, folder):
    for i in range(200):
        width, height = chance.randint(64, 400), chance.randint(64, 400)
        side = min(width, height)
        tall = max(14, round(chance.uniform(0.2, 0.85) * side))
        mask = glyph(i % 10, chance.choice(ALL), tall, chance.randint(0, tall // 25), chance.uniform(-8, 8))
        dark = chance.random() < 0.8
        paper, ink = chance.randint(195, 255), chance.randint(0, 90)
        canvas = Paper(chance, width, height, paper if dark else ink, ink if dark else paper, chance.uniform(0, 12))
        canvas.at(mask, anywhere(chance, width, mask.width), anywhere(chance, height, mask.height))
        if dark and i % 3 == 0:
            canvas.light(chance.randint(10, 70))
        canvas.save(f"{folder}/{i:03}-{i % 10}.png")


def mnist(folder):
    """500 of the test pictures and their labels."""
    with gzip.open(folder + "/t10k-images-idx3-ubyte.gz") as f:
        pixels = f.read()[16:]
    with gzip.open(folder + "/t10k-labels-idx1-ubyte.gz") as f:
        labels = f.read()[8:]
    chosen = random.Random(SEED).sample(range(len(labels)), 500)
    return [(labels[i], Image.frombytes("L", (28, 28), pixels[784 * i:784 * i + 784])) for i in chosen]


def draw_pasted(chance, folder, digits):
    for i, (label, picture) in enumerate(digits):
        width, height = chance.randint(64, 400), chance.randint(64, 400)
        side = round(28 * chance.uniform(1, min(6, min(width, height) / 28)))
        mask = picture.resize((side, side), chance.choice([Image.NEAREST, Image.BILINEAR, Image.BICUBIC]))
        paper, ink = chance.choice([(0, 255), (255, 0), (chance.randint(215, 250), chance.randint(0, 60))])
        canvas = Paper(chance, width, height, paper, ink, chance.uniform(0, 10))
        canvas.at(mask, anywhere(chance, width, side), anywhere(chance, height, side))
        canvas.save(f"{folder}/{i:03}-{label}.png")


def draw(folder, option=None, data=None):
    jobs = {"paper": draw_paper, "drawn": draw_drawn}
    if option == "--mnist":
        digits = mnist(data)
        jobs["pasted"] = lambda chance, to: draw_pasted(chance, to, digits)
        jobs["framed"] = lambda chance, to: [p.save(f"{to}/{i:03}-{k}.png") for i, (k, p) in enumerate(digits)]
    for kind, job in jobs.items():
        os.makedirs(f"{folder}/{kind}", exist_ok=True)
        job(random.Random(SEED), f"{folder}/{kind}")


def score(folder, model, *options):
    tenon = os.environ.get("TENON", os.path.join(HERE, "../build/release/bin/tenon"))
    for kind in sorted(os.listdir(folder)):
        files = [os.path.join(folder, kind, name) for name in sorted(os.listdir(os.path.join(folder, kind)))]
        run = subprocess.run([tenon, "predict", "--model", model, "--json", *options, *files], check=True,
                             stdout=subprocess.PIPE, text=True)
        said = [json.loads(line) for line in run.stdout.splitlines()]
        right = [one["input"][-5] == str(one["class"]) for one in said]
        doubted = [one.get("doubt") is not None for one in said]
        print(f"{kind:8} {sum(right):4} of {len(right)} right: {100 * sum(right) / len(right):5.1f} %; in doubt: "
              f"{sum(a and b for a, b in zip(right, doubted))} of these, "
              f"{sum(b and not a for a, b in zip(right, doubted))} of the others", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "draw":
        from PIL import Image, ImageChops, ImageDraw, ImageFont  # Debian: python3-pil and fonts-dejavu
        draw(*sys.argv[2:])
    elif len(sys.argv) > 3 and sys.argv[1] == "score":
        score(*sys.argv[2:])
    else:
        sys.exit(__doc__)
