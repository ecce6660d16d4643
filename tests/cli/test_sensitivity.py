"""honed sensitivity"""

from xml.etree import ElementTree

from .conftest import assert_fails, run, run_json


def test_table_json_and_plot(network, array_file, tmp_path):
    data = array_file("data", 8, 3, 16, 16)
    report = run_json("sensitivity", network, "--calibration", data, "--sparsity", "0.5,0.9", "--svg", tmp_path / "plot.svg")
    assert {trial["technique"] for trial in report["trials"]} == {"int8", "1x1 50%", "1x1 90%"} and report["samples"] == 8
    root = ElementTree.parse(tmp_path / "plot.svg").getroot()
    hints = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
    assert len(hints) == len(report["trials"]) and any(hint.startswith("body, int8: error") for hint in hints)
    text = run("sensitivity", network, "--calibration", data, "--top", "2").stdout
    worst = report["trials"][0]
    assert worst["technique"] == "1x1 90%" and "agreement" in text and text.count("1x1") + text.count("int8") == 2


def test_what_cannot_be_is_an_error(network, array_file):
    data = array_file("data", 8, 3, 16, 16)
    assert_fails(run("sensitivity", network, "--calibration", data, "--sparsity", "1.5"), "sparsity 1.5")
    assert_fails(run("sensitivity", network, "--calibration", data, "--pattern", "3x1"), "found '3x1'")
