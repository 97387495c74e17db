"""Being asked to stop: Ctrl-C, SIGTERM and a closed terminal all end the program the same way, once."""

import signal
from types import FrameType

REQUESTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(BaseException):
    """Somebody asked this process to stop; a BaseException, so that it unwinds everything that was started."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_status = 128 + number


def stop_on_request() -> None:
    """Raise StopRequested on the first request, and let nothing disturb the stopping after it."""

    def asked(number: int, _frame: FrameType | None) -> None:
        for request in REQUESTS:
            signal.signal(request, signal.SIG_IGN)
        raise StopRequested(number)

    for request in REQUESTS:
        signal.signal(request, asked)
