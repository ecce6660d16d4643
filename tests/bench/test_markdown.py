"""Tables in Markdown."""

from honed.bench.markdown import markdown_table


def test_the_first_column_stands_left():
    assert markdown_table(("way", "%"), [("a", "1"), ("b", "2")]) == "| way | % |\n| --- | ---: |\n| a | 1 |\n| b | 2 |\n"
