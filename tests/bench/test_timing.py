from honed.bench.timing import seconds_of


def test_the_first_call_is_not_counted_and_there_are_at_least_so_many():
    calls = []
    times = seconds_of(lambda: calls.append(1), 0.0, least=7)
    assert len(times) == 7 and len(calls) == 8 and min(times) >= 0


def test_calls_go_on_for_the_time_given():
    assert sum(seconds_of(lambda: sum(range(1000)), 0.02)) > 0.01
