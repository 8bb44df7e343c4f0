"""Tests of the harness with two made-up programs, in a second and without any peer."""
import pathlib
import sys
import tempfile
import unittest

from . import ours, plot, processes, report
from .pairs import Measurement, Summary, measure_in_turn
from .rows import Row


def printing(text):
    return [sys.executable, "-c", f"print('chatter'); print({text!r})"]


class PairsTest(unittest.TestCase):
    def summary(self, mine, other, higher_is_better):
        return Summary([Measurement(value, 10) for value in mine], [Measurement(value, 30) for value in other],
                       higher_is_better)

    def test_ratios_of_times(self):
        found = self.summary([1, 2, 4], [4, 4, 4], higher_is_better=False).as_json()
        self.assertEqual((found["median_ours"], found["median_peer"]), (2, 4))
        self.assertEqual((found["ratio"], found["ratio_min"], found["ratio_max"]), (2, 1, 4))
        self.assertEqual((found["peak_bytes_ours"], found["peak_bytes_peer"]), (10, 30))

    def test_ratios_of_rates(self):
        found = self.summary([30, 10], [5, 5], higher_is_better=True).as_json()
        self.assertEqual((found["ratio"], found["ratio_min"], found["ratio_max"]), (4, 2, 6))

    def test_work_is_compared(self):
        summary = self.summary([1], [1], True)
        self.assertIsNone(summary.work_difference())
        summary.ours[0].check, summary.peer[0].check = -101.0, -100.0
        self.assertAlmostEqual(summary.work_difference(), 0.01)

    def test_programs_take_turns_and_the_warm_up_does_not_count(self):
        calls = []

        def side(name, values):
            rest = iter(values)

            def measure():
                calls.append(name)
                return Measurement(next(rest), 1)
            return measure

        found = measure_in_turn(side("A", [100, 2, 3]), side("B", [100, 4, 3]), 2, 1, False, lambda _: None)
        self.assertEqual("".join(calls), "ABABAB")
        self.assertEqual(found.ratios(), [2, 1])


class ProcessesTest(unittest.TestCase):
    def test_two_programs(self):
        mine = processes.script(printing('{"value": 2.0, "check": 1.5, "versions": {"a": "1"}}'))
        other = processes.script(printing('{"value": 6.0, "check": 1.5}'))
        found = measure_in_turn(mine, other, 2, 0, False, lambda _: None)
        self.assertEqual(found.ratios(), [3, 3])
        self.assertEqual(found.work_difference(), 0)
        self.assertEqual(found.ours[0].versions, {"a": "1"})
        self.assertGreater(found.ours[0].peak_bytes, 1_000_000)

    def test_a_program_that_fails_is_named(self):
        with self.assertRaisesRegex(processes.Failure, "status 3"):
            processes.finished([sys.executable, "-c", "raise SystemExit(3)"])
        with self.assertRaisesRegex(processes.Failure, "no JSON object"):
            processes.script([sys.executable, "-c", "print(1)"])()

    def test_the_first_step_is_seen_when_it_is_written(self):
        # The words after -c are those of a training command: --output and the run directory.
        code = ("import pathlib, sys, time; run = pathlib.Path(sys.argv[2]); run.mkdir(); time.sleep(0.1); "
                "(run / 'metrics.jsonl').write_text('{}\\n'); time.sleep(1)")
        found = ours.first_step([sys.executable, "-c", code])()
        self.assertTrue(0.1 < found.value < 1, found.value)

    def test_steps_after_the_first_count(self):
        code = ("import pathlib, sys; run = pathlib.Path(sys.argv[2]); run.mkdir(); (run / 'metrics.jsonl').write_text("
                "'{\"step_seconds\": 9, \"logps/chosen\": -4}\\n{\"step_seconds\": 1}\\n{\"step_seconds\": 2}\\n')")
        found = ours.training([sys.executable, "-c", code], check="logps/chosen")()
        self.assertEqual((found.value, found.check), (1.5, -4))


class ReportTest(unittest.TestCase):
    def test_noise_and_different_work_are_visible(self):
        row = Row("title", "seconds", False, "4 times", None, "trl")
        found = Summary([Measurement(1, 1, -2.0), Measurement(2, 1, -2.0)], [Measurement(4, 2, -1.0)] * 2, False).as_json()
        text = report.text("name", row, found | {"memory_ratio": 2})
        self.assertIn("NOISY", text)
        self.assertIn("NOT THE SAME WORK", text)
        self.assertIn("(from 2.00 to 4.00 over 2 pairs)", text)


class PlotTest(unittest.TestCase):
    def test_a_line_is_found(self):
        slope, start, deviation = plot.fitted([1, 2, 3], [5, 7, 9])
        self.assertAlmostEqual(slope, 2)
        self.assertAlmostEqual(start, 3)
        self.assertAlmostEqual(deviation, 0)
        self.assertGreater(plot.fitted([1, 2, 3], [5, 7, 12])[2], 0.05)

    def test_a_page_holds_every_chart(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "plot.html")
            chart = {"title": "a < b", "x": "tokens", "y": "seconds", "points": [[1, 1.0], [2, 2.1]]}
            plot.write_page(path, "machine", [chart, chart])
            text = path.read_text()
            self.assertEqual(text.count("<svg"), 2)
            self.assertIn("a &lt; b", text)


def run():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    return unittest.TextTestRunner(verbosity=1).run(suite).wasSuccessful()
