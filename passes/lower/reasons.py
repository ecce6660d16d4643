"""Why something cannot be lowered."""


class Unsupported(Exception):
    """A node that nothing can run; the message is the reason. Collected over the whole model, then raised as one ModelError."""


def require(condition: bool, reason: str) -> None:
    if not condition:
        raise Unsupported(reason)
