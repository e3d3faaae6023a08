from hypothesis import given
from hypothesis import strategies as st

from console.limiter import ADDRESS_LIMIT, PAIR_LIMIT, WINDOW_US, LoginLimiter, network_of

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def fail(limiter: LoginLimiter, login: str, address: str, times: int) -> None:
    for _ in range(times):
        limiter.failed(login, address, 0)


def test_after_five_failures_of_one_login_the_sixth_try_is_refused() -> None:
    limiter = LoginLimiter()
    fail(limiter, "night", HERE, PAIR_LIMIT - 1)
    assert limiter.allows("night", HERE, 0)
    fail(limiter, "night", HERE, 1)
    assert not limiter.allows("night", HERE, 0)


def test_a_stranger_cannot_lock_the_operator_out_from_another_address() -> None:
    limiter = LoginLimiter()
    fail(limiter, "night", ELSEWHERE, 100)
    assert limiter.allows("night", HERE, 0)


def test_an_address_that_tries_many_logins_is_refused_for_all() -> None:
    limiter = LoginLimiter()
    for n in range(ADDRESS_LIMIT):
        fail(limiter, f"login-{n}", HERE, 1)
    assert not limiter.allows("yet-another", HERE, 0)


def test_the_window_ends() -> None:
    limiter = LoginLimiter()
    fail(limiter, "night", HERE, PAIR_LIMIT)
    assert not limiter.allows("night", HERE, WINDOW_US - 1)
    assert limiter.allows("night", HERE, WINDOW_US)


def test_the_right_password_forgets_the_wrong_ones() -> None:
    limiter = LoginLimiter()
    fail(limiter, "night", HERE, PAIR_LIMIT - 1)
    limiter.succeeded("night", HERE)
    fail(limiter, "night", HERE, PAIR_LIMIT - 1)
    assert limiter.allows("night", HERE, 0)


def test_one_ipv6_customer_counts_as_one_address() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff")
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("testclient") == "testclient"


@given(st.lists(st.tuples(st.text(max_size=4), st.ip_addresses(v=4).map(str)), max_size=200))
def test_the_table_never_grows_beyond_its_capacity(tries: list[tuple[str, str]]) -> None:
    limiter = LoginLimiter(capacity=16)
    for n, (login, address) in enumerate(tries):
        limiter.failed(login, address, n)
    assert len(limiter) <= 16
