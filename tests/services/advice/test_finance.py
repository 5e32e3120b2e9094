"""The finance functions against sums by hand, textbooks and simulations."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.services.advice import finance

RATES = st.sampled_from([Decimal(0), Decimal("0.001"), Decimal("0.03")])
AMOUNTS = st.decimals(min_value=1, max_value=10**9, places=2)


def about(value: object) -> object:
    return pytest.approx(value, rel=Decimal("1e-9"))


class TestGrowth:
    def test_an_ordinary_annuity_by_hand(self) -> None:
        """Three months at 1 % a month: 100 * 1.01^3 + 10 * (1.01^2 + 1.01 + 1)."""
        value = finance.future_value(capital=Decimal(100), monthly=Decimal(10), months=3, rate=Decimal("0.01"))

        assert value == Decimal("103.0301") + 10 * Decimal("3.0301")

    def test_savings_alone_against_a_simulation(self) -> None:
        balance = Decimal(0)
        for _ in range(48):
            balance = balance * Decimal("1.02") + 350

        assert finance.future_value(capital=Decimal(0), monthly=Decimal(350), months=48, rate=Decimal("0.02")) == about(
            balance
        )

    def test_without_a_return_it_is_what_was_paid_in(self) -> None:
        assert finance.future_value(capital=Decimal(1000), monthly=Decimal(100), months=10, rate=Decimal(0)) == 2000

    @given(AMOUNTS, AMOUNTS, st.integers(1, 360), RATES)
    def test_the_required_saving_makes_the_target(
        self, target: Decimal, capital: Decimal, months: int, rate: Decimal
    ) -> None:
        monthly = finance.required_monthly(target=target, capital=capital, months=months, rate=rate)
        made = finance.future_value(capital=capital, monthly=monthly, months=months, rate=rate)

        assert monthly == 0 or made == about(target)
        assert made >= target * (1 - Decimal("1e-9"))

    @given(AMOUNTS, st.decimals(min_value=1, max_value=10**6, places=2), RATES)
    def test_it_is_the_first_month_that_reaches_the_target(
        self, target: Decimal, monthly: Decimal, rate: Decimal
    ) -> None:
        months = finance.months_needed(target=target, capital=Decimal(0), monthly=monthly, rate=rate)
        before, after = (
            finance.future_value(capital=Decimal(0), monthly=monthly, months=count, rate=rate)
            for count in (months - 1, months)
        )

        assert before < target * (1 + Decimal("1e-6"))
        assert after > target * (1 - Decimal("1e-6"))

    def test_what_is_there_needs_no_time(self) -> None:
        assert (
            finance.months_needed(target=Decimal(1), capital=Decimal(1), monthly=Decimal(1), rate=Decimal("0.01")) == 0
        )


class TestRates:
    def test_a_nominal_rate_of_40_is_an_effective_one_of_48_21(self) -> None:
        assert round(finance.effective_of_nominal(Decimal("0.40")), 4) == Decimal("0.4821")

    @given(st.decimals(min_value=Decimal("0.01"), max_value=5, places=4))
    def test_nominal_and_effective_lead_back(self, rate: Decimal) -> None:
        assert finance.nominal_of_effective(finance.effective_of_nominal(rate)) == about(rate)
        assert finance.effective_of_period(finance.monthly_of_effective(rate)) == about(rate)

    def test_the_real_rate_is_fishers(self) -> None:
        assert finance.real_rate(Decimal("0.45"), Decimal("0.60")) == about(Decimal("-0.09375"))

    def test_a_deposit_earns_simple_interest_by_days(self) -> None:
        assert finance.simple_interest(Decimal(365_000), Decimal("0.40"), days=30) == 12_000

    def test_eight_percent_doubles_in_nine_years(self) -> None:
        assert round(finance.periods_to_double(Decimal("0.08")), 2) == Decimal("9.01")


class TestLoans:
    def test_a_loan_of_the_french_system_is_paid_off_by_its_instalments(self) -> None:
        paid = finance.instalment(Decimal(1_000_000), rate=Decimal("0.05"), count=12)
        debt = Decimal(1_000_000)
        for _ in range(12):
            debt = debt * Decimal("1.05") - paid

        assert round(paid, 2) == Decimal("112825.41")
        assert abs(debt) < Decimal("1e-12")

    def test_without_interest_it_is_divided(self) -> None:
        assert finance.instalment(Decimal(1200), rate=Decimal(0), count=12) == 100


class TestPay:
    def test_the_aguinaldo_is_half_of_the_best_pay_in_proportion(self) -> None:
        assert finance.aguinaldo(Decimal(1_200_000)) == 600_000
        assert finance.aguinaldo(Decimal(1_200_000), months=3) == 300_000

    def test_a_budget_adds_up(self) -> None:
        parts = finance.budget_50_30_20(Decimal(900_001))

        assert parts.needs + parts.wants + parts.savings == 900_001

    def test_a_change_is_relative_to_what_was(self) -> None:
        assert finance.percentage_change(Decimal(300), Decimal(390)) == Decimal("0.3")
