"""Where capital and savings lead, and what a target needs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.advisor.projection import (
    DEFAULT_RISK_TOLERANCE,
    REAL_ANNUAL_RETURN,
    annual_return_for,
    future_value,
    months_needed,
    required_monthly,
)


class TestFutureValue:
    def test_an_ordinary_annuity_by_hand(self) -> None:
        """Three months at 1 % a month: 100 * 1.01^3 + 10 * (1.01^2 + 1.01 + 1)."""
        a_year = 1.01**12 - 1

        value = future_value(capital=100, monthly=10, months=3, annual_return=a_year)

        assert value == pytest.approx(103.0301 + 10 * 3.0301)

    def test_capital_alone_grows_by_the_yearly_rate(self) -> None:
        assert future_value(capital=1000, monthly=0, months=24, annual_return=0.05) == pytest.approx(1102.5)

    def test_savings_alone_against_a_simulation(self) -> None:
        balance = 0.0
        for _ in range(48):
            balance = balance * 1.025 ** (1 / 12) + 350

        assert future_value(capital=0, monthly=350, months=48, annual_return=0.025) == pytest.approx(balance)

    def test_a_payment_at_the_end_of_the_only_month_earns_nothing(self) -> None:
        assert future_value(capital=0, monthly=100, months=1, annual_return=0.5) == pytest.approx(100)

    def test_without_a_return_it_is_what_was_paid_in(self) -> None:
        assert future_value(capital=1000, monthly=100, months=10, annual_return=0) == 2000

    def test_a_return_near_zero_is_near_that(self) -> None:
        assert future_value(capital=1000, monthly=100, months=10, annual_return=1e-9) == pytest.approx(2000)

    def test_after_no_time_it_is_the_capital(self) -> None:
        assert future_value(capital=1000, monthly=100, months=0, annual_return=0.05) == 1000


class TestRequiredMonthly:
    def test_without_a_return_it_is_the_rest_in_equal_parts(self) -> None:
        assert required_monthly(target=1000, capital=400, months=12, annual_return=0) == 50

    @given(st.floats(1, 1e9), st.floats(0, 1e9), st.integers(1, 600), st.sampled_from([0.0, 0.01, 0.04]))
    def test_it_makes_the_target(self, target: float, capital: float, months: int, rate: float) -> None:
        monthly = required_monthly(target=target, capital=capital, months=months, annual_return=rate)
        made = future_value(capital=capital, monthly=monthly, months=months, annual_return=rate)

        assert monthly == 0 or made == pytest.approx(target)
        assert made >= target * (1 - 1e-9)

    def test_nothing_is_needed_when_the_capital_grows_to_it(self) -> None:
        assert required_monthly(target=1000, capital=999, months=120, annual_return=0.04) == 0


class TestMonthsNeeded:
    def test_without_a_return_payments_are_counted(self) -> None:
        assert months_needed(target=1000, capital=0, monthly=300, annual_return=0) == 4

    @given(st.floats(100, 1e6), st.floats(0, 99), st.floats(1, 1e5), st.sampled_from([0.0, 0.01, 0.04]))
    def test_it_is_the_first_month_that_reaches_the_target(
        self, target: float, capital: float, monthly: float, rate: float
    ) -> None:
        months = months_needed(target=target, capital=capital, monthly=monthly, annual_return=rate)
        before, after = (
            future_value(capital=capital, monthly=monthly, months=count, annual_return=rate)
            for count in (months - 1, months)
        )

        assert before < target * (1 + 1e-6)
        assert after > target * (1 - 1e-6)

    def test_what_is_there_needs_no_time(self) -> None:
        assert months_needed(target=1000, capital=1000, monthly=1, annual_return=0.04) == 0


class TestAnnualReturn:
    @pytest.mark.parametrize("tolerance", ["baja", "media", "alta"])
    def test_each_tolerance_has_its_own(self, tolerance: str) -> None:
        assert annual_return_for(tolerance) == REAL_ANNUAL_RETURN[tolerance]

    @pytest.mark.parametrize("tolerance", [None, "", "muy alta"])
    def test_an_unknown_one_counts_as_the_middle(self, tolerance: str | None) -> None:
        assert annual_return_for(tolerance) == REAL_ANNUAL_RETURN[DEFAULT_RISK_TOLERANCE]

    def test_more_risk_promises_more(self) -> None:
        assert annual_return_for("baja") < annual_return_for("media") < annual_return_for("alta")
