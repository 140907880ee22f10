"""The load half of the page, and its plots."""

from itertools import pairwise
from typing import Any

import pytest
from lxml import etree

from grantproof.report.capacity_plots import probes, scaling
from grantproof.report.load_view import compose_load
from grantproof.report.plots import bars, duration, number, percentile_curve, quantile, timeline

Change = dict[str, Any]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.0, "0 µs"),
        (0.00085, "850 µs"),
        (0.0049, "4.9 ms"),
        (0.0994, "99.4 ms"),
        (0.0999, "100 ms"),
        (0.912, "912 ms"),
        (0.9996, "1.00 s"),
        (12.3456, "12.35 s"),
        (3600.0, "3,600 s"),
    ],
)
def test_durations_are_written_as_people_read_them(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("name", "share"), [("p50", 0.5), ("p99_9", 0.999), ("p100", None), ("max", None), ("px", None), ("", None)]
)
def test_a_percentiles_name_says_its_share(name: str, share: float | None) -> None:
    assert quantile(name) == (pytest.approx(share) if share else None)


@pytest.mark.parametrize("value", [None, True, "1", float("nan"), float("inf"), []])
def test_only_finite_numbers_are_numbers(value: object) -> None:
    assert number(value) is None


@pytest.mark.parametrize(
    ("change", "tone", "sentence"),
    [
        ({}, "fail", "Answered 199.8/s with p99 912 ms; crosses p99 < 250ms."),
        ({"thresholds": []}, "pass", "Answered 199.8/s with p99 912 ms."),
        (
            {"thresholds": [{"rule": "p99 < 2s", "kept": True}]},
            "pass",
            "Answered 199.8/s with p99 912 ms; every threshold kept.",
        ),
        (
            {"generator": {"limited": True, "reason": "one core was full"}},
            "inconclusive",
            "Answered 199.8/s with p99 912 ms; the generator was the limit, so the target is not judged.",
        ),
        (
            {"exit_code": 3, "generator": {"limited": False, "reason": "the run was stopped after 3.1 of 60 s"}},
            "inconclusive",
            "Answered 199.8/s with p99 912 ms; the run was stopped after 3.1 of 60 s, so the target is not judged.",
        ),
        ({"ok": 0, "thresholds": []}, "fail", "No request got a valid answer."),
        ({"ok": 0, "exit_code": 3}, "inconclusive", "The target was not reached: nothing can be said of it."),
        (
            {"exit_code": 3, "scenarios": [{"scenario": "a", "ok": 5}, {"scenario": "b", "ok": 0}]},
            "inconclusive",
            "Answered 199.8/s with p99 912 ms; not reached, so that nothing can be said of the whole: b.",
        ),
    ],
)
def test_the_load_run_in_one_sentence(load: Change, change: Change, tone: str, sentence: str) -> None:
    view = compose_load(load | change)
    assert view is not None
    assert (view.tone, view.sentence) == (tone, sentence)


def test_protection_is_told_apart_from_errors(load: Change) -> None:
    view = compose_load(load)
    assert view is not None
    errors = view.scenarios[0].tiles[-1]
    assert (errors.value, errors.note, errors.bad) == ("12", "0.100% of 12,021 requests; 21 more turned away", True)


def test_a_closed_loop_offers_no_rate(load: Change) -> None:
    view = compose_load(load | {"offered_per_s": None})
    assert view is not None
    assert view.scenarios[0].tiles[0].note == "closed loop"


@pytest.mark.parametrize("shape", ["list", "mapping"])
def test_several_scenarios_follow_their_total(load: Change, shape: str) -> None:
    parts = {name: {**load, "scenario": name} for name in ("token_endpoint", "introspect_and_use")}
    view = compose_load(load | {"scenario": "mix", "scenarios": parts if shape == "mapping" else list(parts.values())})
    assert view is not None
    assert [scenario.name for scenario in view.scenarios] == ["mix", "token_endpoint", "introspect_and_use"]


def test_several_scenarios_stand_side_by_side(load: Change) -> None:
    parts = [
        {**load, "scenario": "good", "offered_per_s": 160.0},
        {**load, "scenario": "<hostile>", "offered_per_s": None, "latency_s": {"p50": 0.5}},
    ]
    view = compose_load(load | {"scenarios": parts})
    assert view is not None
    assert view.side_by_side == (
        ("good", "160/s", "199.8/s", "4.9 ms", "912 ms", "1.00 s", "1.00 s", "12", "21"),
        ("<hostile>", "-", "199.8/s", "500 ms", "-", "-", "-", "12", "21"),
    )
    assert compose_load(load | {"scenarios": parts[:1]}) == compose_load(load)


def test_the_generators_health_tells_losses_connections_and_what_was_made_ahead(load: Change) -> None:
    generator = {**load["generator"], "workers": 2, "lost": 1, "missing": 1234, "abandoned": 0, "cpu_share": 0.415}
    generator["loop_delay_s"] = {"p99": 0.002}
    connections = {"opened": 32, "reused_share": 0.5, "waited_share": 0.25, "handshakes": 32, "resumed_share": 0.75}
    prepared = [{"what": "assertions signed", "number": 12000, "seconds": 8.5}]
    changes = {"generator": generator, "connections": connections, "prepared": prepared, "retry_after": {"429": 20}}
    view = compose_load(load | changes | {"schedule": "spike.toml"})
    assert view is not None
    health = dict(view.scenarios[0].health)
    expected = {
        "Schedule": "spike.toml",
        "Workers": "2",
        "Workers lost": "1",
        "Requests missing with them": "1,234",
        "CPU of the busiest worker": "42% of a core",
        "Delay of its loop, p99": "2.0 ms",
        "Made ahead: assertions signed": "12,000 in 8.50 s",
        "Requests that waited for a connection": "25.0%",
        "TLS handshakes": "32",
        "TLS sessions resumed": "75.0%",
        "Turned away with Retry-After": "20",
    }
    assert {name: health.get(name) for name in expected} == expected
    assert "Requests cut off at the end" not in health


def test_where_nothing_was_answered_no_latency_is_shown(load: Change) -> None:
    view = compose_load(load | {"latency_s": dict.fromkeys(load["latency_s"], 0.0)})
    assert view is not None
    assert [tile.value for tile in view.scenarios[0].tiles[1:4]] == ["-", "-", "-"]


def test_percentiles_go_to_four_nines(load: Change) -> None:
    view = compose_load(load | {"latency_s": {**load["latency_s"], "p99_99": 1.003}})
    assert view is not None
    assert view.scenarios[0].percentiles == ("p50", "p90", "p99", "p99.9", "p99.99", "max")


def test_a_capacity_search_alone_is_a_view(capacity: Change) -> None:
    view = compose_load(None, capacity)
    assert view is not None
    assert view.sentence == "Keeps its thresholds up to 304/s."
    assert view.capacity is not None
    assert view.capacity.tiles[0].note == "95 % interval 297 to 311"


def test_no_load_is_no_view() -> None:
    assert compose_load(None) is None


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"ok": None, "errors": None, "latency_s": {}, "series": None, "thresholds": None},
        {"ok": 1, "latency_s": {"p50": None, "p99": "x"}, "series": [{"t": None}, {"t": 1}], "errors": {"x": "y"}},
        {"ok": 1, "latency_s": {"p50": 0.0, "max": 0.0}, "series": [{"t": 1, "ok": 0, "p99": 0.0}] * 3},
    ],
)
def test_a_load_json_with_holes_is_still_shown(broken: Change) -> None:
    assert compose_load({"scenario": "x", **broken}) is not None


def drawn(svg: str) -> Any:
    """The picture as XML, which is stricter than HTML."""
    return etree.fromstring(svg)


def test_each_curve_has_a_point_for_each_percentile(load: Change) -> None:
    picture = drawn(percentile_curve({"intended": load["latency_s"], "sent": load["service_time_s"]}))
    titles = picture.xpath("//title/text()")
    assert len(titles) == 10
    assert "intended, p99: 912 ms" in titles
    assert picture.get("aria-label") == "Latency by percentile; max is 1.00 s"


def test_a_slower_time_is_drawn_higher() -> None:
    picture = drawn(percentile_curve({"x": {"p50": 0.001, "p90": 0.01, "p99": 0.1}}))
    heights = [float(dot.get("cy")) for dot in picture.xpath("//circle")]
    assert heights == sorted(heights, reverse=True)


def test_a_stall_of_one_second_survives_an_hour() -> None:
    series = [{"t": t, "offered": 100, "ok": 100, "p99": 3.0 if t == 1777 else 0.01} for t in range(3600)]
    picture = drawn(timeline(series))
    assert picture.get("aria-label").endswith("3.00 s")
    assert len(str(timeline(series))) < 40_000


def test_bars_are_the_largest_first_and_tell_all_in_words() -> None:
    picture = drawn(bars({"timeout": 7, "never": 0, "<b>": 21}))
    assert picture.get("aria-label") == "<b>: 21, timeout: 7"
    assert [int(bar.get("width")) for bar in picture.xpath("//rect")] == [260, 87]


@pytest.mark.parametrize(
    ("queue", "shown"),
    [
        (
            {"fits": True, "workers": 2, "service_s": 0.005, "variability": 0.98},
            ("2", "workers", "at one queue explain every answer: 5 ms each, variability 0.98"),
        ),
        (
            {"fits": True, "workers": 1, "service_s": 0.0123, "variability": 0.0},
            ("1", "worker", "at one queue explain every answer: 12.3 ms each, variability 0.00"),
        ),
    ],
)
def test_the_workers_behind_the_answers_are_shown(
    capacity: Change, queue: dict[str, Any], shown: tuple[str, str, str]
) -> None:
    view = compose_load(None, {**capacity, "queue": queue})
    assert view is not None
    assert view.capacity is not None
    tile = view.capacity.tiles[-1]
    assert (tile.value, tile.label, tile.note) == shown


def test_a_curve_that_says_otherwise_is_shown(capacity: Change) -> None:
    queue = {"fits": True, "workers": 2, "service_s": 0.005, "variability": 0.98, "agrees": False}
    view = compose_load(None, {**capacity, "queue": queue})
    assert view is not None
    assert view.capacity is not None
    assert view.capacity.tiles[-1].note.endswith("the curve of latencies says otherwise, the interval spans both")


@pytest.mark.parametrize(("restrained", "tiles"), [(True, 4), (False, 3)])
def test_connections_are_shown_where_the_target_served_few(capacity: Change, *, restrained: bool, tiles: int) -> None:
    view = compose_load(None, {**capacity, "connections": {"most": 98, "restrained": restrained}})
    assert view is not None
    assert view.capacity is not None
    assert len(view.capacity.tiles) == tiles
    if restrained:
        assert (view.capacity.tiles[-1].value, view.capacity.tiles[-1].label) == ("98", "connections")


@pytest.mark.parametrize("queue", [None, {"fits": False, "reason": "requests overtake each other"}, {"fits": True}])
def test_no_workers_are_shown_where_none_explain_the_answers(capacity: Change, queue: object) -> None:
    view = compose_load(None, {**capacity, "queue": queue})
    assert view is not None
    assert view.capacity is not None
    assert len(view.capacity.tiles) == 3


def test_probes_differ_in_shape_and_mark_the_capacity(capacity: Change) -> None:
    picture = drawn(probes(capacity["probes"], 304.0))
    assert (len(picture.xpath("//circle")), len(picture.xpath("//path[@class='crossed']"))) == (3, 2)
    assert len(picture.xpath("//path[@class='mark']")) == 1


def test_the_interval_is_a_band_and_saturation_a_line(capacity: Change) -> None:
    picture = drawn(probes(capacity["probes"], 304.0, [297.0, 311.0], 399.2))
    band = picture.xpath("//rect[@class='band']")[0]
    mark = float(picture.xpath("string(//path[@class='mark']/@d)")[1:].split()[0])
    assert float(band.get("x")) < mark < float(band.get("x")) + float(band.get("width"))
    saturation = float(picture.xpath("string(//path[@class='line l2']/@d)")[1:].split()[0])
    assert saturation > float(band.get("x")) + float(band.get("width"))


@pytest.mark.parametrize("interval", [(), (None, 3.0), (311.0, 297.0)])
def test_no_interval_is_no_band(capacity: Change, interval: tuple[float | None, ...]) -> None:
    assert not drawn(probes(capacity["probes"], None, interval)).xpath("//rect")


@pytest.mark.parametrize("fits", [True, False])
def test_the_scalability_law_is_drawn_where_it_fits(*, fits: bool) -> None:
    levels = [{"users": 1, "per_s": 100.0}, {"users": 2, "per_s": 190.0}, {"users": 4, "per_s": 330.0}]
    law = {"fits": fits, "alone_per_s": 100.0, "contention": 0.05, "coherence": 0.0}
    picture = drawn(scaling(levels, law))
    assert len(picture.xpath("//path[@class='line l1' and contains(@d, 'L')]")) == 1
    assert len(picture.xpath("//path[@class='line l2' and contains(@d, 'L')]")) == fits
    assert picture.get("aria-label") == "Throughput by number of users; the most is 330 per s with 4"


@pytest.mark.parametrize(
    ("change", "tone", "sentence"),
    [
        ({"capacity_per_s": None, "reason": "too short"}, "inconclusive", "No capacity was found: too short."),
        ({"capacity_per_s": 0.0}, "fail", "Keeps its thresholds at no rate."),
        ({"thresholds": [{"rule": "rate > 400/s", "kept": False}]}, "fail", "Keeps its thresholds up to 304/s."),
    ],
)
def test_a_capacity_search_in_one_sentence(capacity: Change, change: Change, tone: str, sentence: str) -> None:
    view = compose_load(None, capacity | change)
    assert view is not None
    assert (view.tone, view.sentence) == (tone, sentence)


def test_the_closed_loop_is_a_line_of_mean_latencies_by_littles_law(capacity: Change) -> None:
    levels = [{"users": 1, "per_s": 100.0}, {"users": 4, "per_s": 350.0}, {"users": 8, "per_s": 380.0}]
    picture = drawn(probes(capacity["probes"], 304.0, levels=levels))
    (line,) = picture.xpath("//path[contains(@class, 'l1')]/@d")
    assert line.count("L") == 2
    assert "line: mean" in "".join(picture.itertext())
    assert not drawn(probes(capacity["probes"], 304.0, levels=levels[:1])).xpath("//path[contains(@class, 'l1')]")


@pytest.mark.parametrize("picture", [scaling([], {}), percentile_curve({}), timeline([]), bars({}), probes([], None)])
def test_nothing_to_draw_is_no_picture(picture: str) -> None:
    assert picture == ""


def test_labels_of_percentiles_do_not_run_into_each_other() -> None:
    names = ("p50", "p75", "p90", "p95", "p99", "p99_9", "p99_99", "max")
    picture = drawn(percentile_curve({"x": {name: 0.001 * (1 + place) for place, name in enumerate(names)}}))
    labels = picture.xpath("//text[starts-with(., 'p') or . = 'max']")
    assert [label.text for label in labels] == ["p50", "p90", "p99", "p99.9", "p99.99", "max"]
    places = [float(label.get("x")) for label in labels]
    assert all(right - left >= 36 for left, right in pairwise(places))
