"""A signal is held back while training saves, and then stops it whatever else happened."""

import signal

import pytest

from pipelines.training.interruption import deferred


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM])
def number(request):
    usual = signal.getsignal(request.param)
    yield request.param
    signal.signal(request.param, usual)


def stopping(number, frame):
    raise SystemExit(number)


def test_nothing_happens_without_a_signal(number):
    usual = signal.getsignal(number)
    with deferred() as stop:
        assert signal.getsignal(number) is not usual
    assert not stop
    assert signal.getsignal(number) is usual


def test_the_first_is_told_and_delivered_at_the_end(number):
    signal.signal(number, stopping)
    done = []

    def saves():
        with deferred() as stop:
            signal.raise_signal(number)
            done.append(bool(stop))

    with pytest.raises(SystemExit):
        saves()
    assert done == [True]
    assert signal.getsignal(number) is stopping


def test_the_second_acts_at_once(number):
    signal.signal(number, stopping)
    done = []

    def saves():
        with deferred():
            signal.raise_signal(number)
            signal.raise_signal(number)
            done.append("went on")

    with pytest.raises(SystemExit):
        saves()
    assert not done


def test_a_stop_is_a_stop_where_the_block_fails(number):
    signal.signal(number, stopping)

    def fails():
        with deferred():
            signal.raise_signal(number)
            raise ValueError("another worker, told to stop too, is gone")

    with pytest.raises(SystemExit):
        fails()


def test_a_handler_that_does_not_raise_any_more_stops_the_block_too(number):
    signal.signal(number, lambda *_: None)
    with pytest.raises(KeyboardInterrupt), deferred():
        signal.raise_signal(number)
