"""Pullbacks of vjp."""

import threading

from autodiff.support import close

from arraygrad.autodiff import vjp


def test_vjp_may_be_pulled_again_and_in_any_thread(xp):
    out, pullback = vjp(lambda x, y: (x * y, xp.sum(x)), xp.ones(2), 3 * xp.ones(2))
    units, one = xp.ones(2), xp.asarray(1.0)
    found = []

    def pull(k):
        found.append(pullback((k * units, one)))

    threads = [threading.Thread(target=pull, args=(float(k),)) for k in range(5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(float(g[0][0]) for g in found) == [1.0, 4.0, 7.0, 10.0, 13.0]
    close(out[0], [3.0, 3.0])


def test_the_cotangents_of_a_result_that_is_returned_twice_are_added(xp):
    def f(x):
        y = x * x
        return y, {"again": y}

    x = xp.asarray([1.0, 3.0])
    pullback = vjp(f, x)[1]
    (g,) = pullback((xp.ones(2), {"again": xp.asarray([2.0, 0.0])}))
    close(g, [6.0, 6.0])
