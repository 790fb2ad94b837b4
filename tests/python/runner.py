"""runner.py: runs the tests of the file that was started; exit status 77, and why, where all of them were skipped."""
import sys
import unittest


class Result(unittest.TextTestResult):
    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


class Runner(unittest.TextTestRunner):
    resultclass = Result


def main(argv=None):
    result = unittest.main(argv=argv, testRunner=Runner, exit=False).result
    if result.wasSuccessful() and not result.passed:
        print("skipped: " + "; ".join(sorted({why for _, why in result.skipped}) or ["there are no tests"]))
        sys.exit(77)
    sys.exit(not result.wasSuccessful())
