"""Ways to quantise a mobile network."""

import json
from dataclasses import replace

import numpy as np
import pytest
from honed.bench import quantisation
from honed.bench.images import images_in
from honed.bench.photographs import CALIBRATION, crops, crops_of, load_photograph
from honed.bench.quantisation import NETWORK, WAYS, Result, calibration, main, outputs
from scipy.special import rel_entr, softmax


@pytest.fixture
def short(monkeypatch):
    """One photograph for each purpose."""
    monkeypatch.setattr(quantisation, "CALIBRATION", ("astronaut.png",))
    monkeypatch.setattr(quantisation, "EVALUATION", ("chelsea.png", "coffee.png"))


def test_agreement_is_that_of_the_file_in_onnx_runtime(short, tmp_path, capsys):
    arguments = ["--quick", "--only", "one scale per layer, equalised", "--output", str(tmp_path), "--json", str(tmp_path / "r.json")]
    with pytest.raises(SystemExit):
        main(arguments)
    (result,) = json.loads((tmp_path / "r.json").read_text())["results"]
    images = [*crops(("chelsea.png", "coffee.png"), 2)]
    (path,) = tmp_path.glob("*.onnx")
    exact, found = (outputs("onnxruntime", p, iter(images)).argmax(1) for p in (NETWORK.model, path))
    assert result["agreement"] == 100 * (exact == found).mean()
    assert "4 crops" in capsys.readouterr().out and result["seconds"] > 0


def test_labelled_images_take_the_place_of_the_photographs(short, tmp_path, monkeypatch, capsys):
    """Of two classes, one image is labelled as the network sees it and one is not."""
    folder = tmp_path / "images"
    folder.mkdir()
    for synset, name in (("n00000001", "chelsea.png"), ("n00000002", "coffee.png")):
        load_photograph(name).save(folder / f"{synset}_{name}")
    monkeypatch.setattr(quantisation, "calibration", lambda count: np.concatenate([*crops(("astronaut.png",), count)]))
    labelled = images_in(folder, 2)
    seen = outputs("onnxruntime", NETWORK.model, labelled.centres()).argmax(1)
    labelled = replace(labelled, labels=seen + np.array([0, 1]))
    monkeypatch.setattr(quantisation, "images_in", lambda path: labelled)
    arguments = [
        "--quick",
        "--only",
        "first and last blocks",
        "--images",
        str(folder),
        "--output",
        str(tmp_path),
        "--json",
        str(tmp_path / "r.json"),
    ]
    with pytest.raises(SystemExit):
        main(arguments)
    (result,) = json.loads((tmp_path / "r.json").read_text())["results"]
    images = [
        *crops_of(load_photograph("chelsea.png"), "n00000001_chelsea.png", 1),
        *crops_of(load_photograph("coffee.png"), "n00000002_coffee.png", 1),
    ]
    exact, found = (outputs("onnxruntime", p, iter(images)) for p in (NETWORK.model, next(tmp_path.glob("*.onnx"))))
    assert result["agreement"] == 100 * (exact.argmax(1) == found.argmax(1)).mean()
    p, q = softmax(exact.astype(float), axis=1), softmax(found.astype(float), axis=1)
    np.testing.assert_allclose(result["divergence"], rel_entr(p, q).sum(1).mean(), rtol=1e-6)
    assert result["accuracy"] == 50.0 and "50.00 % in fp32" in " ".join(capsys.readouterr().out.split())


def test_names_that_match_nothing_are_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--only", "ternary"])
    assert stopped.value.code == 1 and "no way is left" in capsys.readouterr().err


@pytest.mark.parametrize(("agreement", "gap", "holds"), [(95.0, 0.0, True), (94.9, 0.0, False), (99.0, 0.06, False)])
def test_what_a_way_should_keep(agreement, gap, holds):
    assert Result("a", 95.0, agreement, agreement, 0.1, None, 1, gap, 1.0).holds is holds
    assert Result("a", None, 10.0, 10.0, 0.1, 50.0, 1, gap, 1.0).holds is (gap <= 0.05)


def test_calibration_shows_every_photograph_at_once(monkeypatch):
    monkeypatch.setattr(quantisation, "CALIBRATION", CALIBRATION[:2])
    data = calibration(2)
    first = [next(crops((name,), 1)) for name in CALIBRATION[:2]]
    assert data.shape == (4, 3, 224, 224) and np.array_equal(data[:2], np.concatenate(first))


def test_ways_have_names_of_their_own_and_goals():
    assert len({way.name for way in WAYS}) == len(WAYS) and {way.least for way in WAYS} == {None, 95.0, 88.0, 75.0}
