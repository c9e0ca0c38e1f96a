from swaddle.demo.months import says


def month(*denominators, **members):
    indicators = [{"answerable": True, "denominator": each} for each in denominators]
    return {"month": "2026-10", "indicators": indicators, **members}


def test_what_needs_a_look_is_told_in_the_reports_own_sentence():
    told = says(month(40, 50, attention=["Caesareans: more than before."], better=["Less."]))
    assert told == ("2026-10: 2 indicators have an answer.", "Caesareans: more than before.")


def test_a_month_of_few_births_says_too_few():
    assert says(month(2, 0, 11))[-1] == "1 of them rest on fewer than 10 births: too few to say."
