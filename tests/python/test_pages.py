"""test_pages.py: what the pages show: README's lines of Python, the tutorial's cells and the examples, each as it
stands."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import runner

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = sorted(glob.glob(os.path.join(TREE, "python", "examples", "*.py")))


def read(*path):
    with open(os.path.join(TREE, *path), encoding="utf-8") as file:
        return file.read()


class Pages(unittest.TestCase):
    def run_in_order(self, parts):
        """Runs parts of a program, which see what those before them made, in a folder of their own."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "shown.py")
            with open(path, "w", encoding="utf-8") as file:
                file.write("\n".join(parts))
            done = subprocess.run([sys.executable, path], cwd=folder, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, universal_newlines=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_the_readme_s_lines_run(self):
        blocks = re.findall(r"^```python\n(.*?)^```$", read("README.md"), flags=re.M | re.S)
        self.assertGreaterEqual(len(blocks), 2)
        self.assertIn("accuracy", self.run_in_order(blocks))

    def test_the_tutorial_s_cells_run(self):
        notebook = json.loads(read("python", "tutorial.ipynb"))
        cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
        self.assertGreater(len(cells), 8)
        self.assertIn("matmul: inner sizes", self.run_in_order(cells))
        self.assertEqual([cell["outputs"] for cell in notebook["cells"] if cell.get("outputs")], [])

    def test_the_examples_show_what_they_claim(self):
        self.assertGreaterEqual(len(EXAMPLES), 5)
        page = read("python", "examples", "README.md")
        for path in EXAMPLES:
            name = os.path.basename(path)
            with self.subTest(name):
                self.assertIn(f"({name})", page)
                done = subprocess.run([sys.executable, path, "--small"], stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, universal_newlines=True)
                if done.returncode == 77:
                    print(f"{name}: {done.stdout.strip()}")
                    continue
                self.assertEqual(done.returncode, 0, done.stdout)
                self.assertIn("\nshown: ", done.stdout)


if __name__ == "__main__":
    runner.main()
