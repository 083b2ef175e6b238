"""The page: the answer first, every part of the report, and nothing that a user's names can break."""

import itertools
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pipelines.report.card import NOT_STATED
from pipelines.report.document import Estimate, LimitResult
from pipelines.report.page.build import html
from pipelines.report.tuning import Search, Tried, Tuning

from .page_reports import HOSTILE, NAN, card_of, drawn, hostile_report, whole_report

VOID = {"meta", "link", "img", "br"}


class Read(HTMLParser):
    """Tags with their attributes, text, and whether every tag that opens is closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.stack, self.words, self.headings = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if "style" not in self.stack:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def page(report=None, figures=None, **how):
    text = html(card_of(report or whole_report(), **how), figures or {})
    read = Read(text)
    assert read.stack == []
    return text, read


def test_the_answer_stands_first_with_both_scores_and_the_lead():
    _, read = page()
    text = read.text
    start = text[text.index("Inconclusive:") :]
    for said in ("cannot be told apart", "On 1234 tested rows mlp", "0.810", "0.780 to 0.840", "0.800", "+0.0100"):
        assert said in start[: start.index("What it means")]
    assert text.index("What it means") < text.index("Contents")


def test_simulated_data_are_said_to_be_so_loudly_and_real_ones_are_not():
    assert "Simulated data." in page()[1].text.split("Inconclusive")[1]  # between the title and the answer
    report = whole_report()
    assert "Simulated data." not in page(replace(report, data=replace(report.data, simulated=False)))[1].text


@pytest.mark.parametrize(("answer", "word"), [("yes", "Yes:"), ("no", "No:"), ("inconclusive", "Inconclusive:")])
def test_each_answer_has_its_words(answer, word):
    report = whole_report()
    verdict = replace(report.verdict, network_beats_best_baseline=answer, sentence=f"{word} on 10 rows it is so.")
    _, read = page(replace(report, verdict=verdict))
    heading = read.text[read.text.index(word) :]
    assert "On 10 rows it is so." in heading
    assert read.text.count(word) == 2  # in the title and above the sentence


def test_every_part_of_the_report_has_its_section_in_reading_order():
    _, read = page()
    ids = [each["id"] for each in read.all("section")]
    assert ids == [
        "answer",
        "failures",
        "use",
        "data",
        "scores",
        "comparison",
        "calibration",
        "decisions",
        "groups",
        "mitigation",
        "automation",
        "oversight",
        "explanation",
        "privacy",
        "directions",
        "points",
        "alerts",
        "cost",
        "tuning",
        "training",
        "limits",
        "not-measured",
        "reproduce",
    ]
    links = [each["href"] for each in read.all("a")]
    assert [f"#{each}" for each in ids[1:]] == [each for each in links if each != "#answer"]


@pytest.mark.parametrize(
    "said",
    [
        "2 rows repeat an earlier one",
        "A limit of the task fails: AUROC at least 0.900; measured 0.810",
        "gru could not be trained and is left out: too few rows",
        "Gradients of mlp: dead units in dense_1",
        "equalized odds of mlp differs between M (40 rows) and F (60 rows): 0.200 (95 % interval 0.100 to 0.300)",
        "whether that person was in the training data",
        "it fails here",
        "deciding alone",
        "a person decides",
        "a bank",
        "5-fold cross-validation",
        "800, valid 200, test 234 (of the first fold)",
        "2 rows skipped",
        "mlp over scorecard",
        "+0.0100",
        "-0.0200 to +0.0400",
        "4,000",
        "not clear",
        "overconfident",
        "400.0",
        "300.0 to 500.0",
        "0.400",
        "epsilon 6.5 at delta 1e-05",
        "validation rows",
        "0.710",
        "0.660 to 0.750",
        "right:0.9",
        "Debt must not fall",
        "10 %",
        "largest 0.070",
        "never",
        "41.5".replace("41.5", "42"),
        "600 points are odds of 50 to 1",
        "60 alerts on 20 tested days with 9 frauds",
        "mlp+penalty",
        "2 trials for each contender",
        "width 64",
        "C 0.5",
        "Energy",
        "its estimate needs the extra energy",
        "0.1.0+abc",
        "keras 3.15",
        "tapeline run finance/credit-default --data sample --seed 3",
        "protocol.folds",
        "mlp recipe.epochs",
        "0f0f0f",
        "2026-01-02T03:04:05+00:00",
        "no positives".replace("no positives", "under 10 rows"),
        "disparate impact ratio",
    ],
)
def test_what_the_report_holds_is_on_the_page(said):
    assert said in page()[1].text.replace("\N{NO-BREAK SPACE}", " ")


def test_a_ratio_is_told_as_a_ratio_with_its_ends_turned():
    row = page()[1].text.partition("sex: disparate impact ratio")[2][:60]
    assert "0.700" in row
    assert "0.500 to 0.900" in row


def test_sections_without_a_part_are_left_out():
    report = whole_report()
    bare = replace(
        report.contenders[0],
        bias=(),
        gaps=(),
        membership={},
        calibration={},
        decisions={},
        directions=(),
        referral=None,
        settings={},
        oversight=None,
        explanation=None,
    )
    card = replace(bare, name="scorecard", kind="classical")
    small = replace(
        report,
        contenders=(bare, card),
        comparisons=(),
        oversight=None,
        privacy_price=(),
        mitigations=(),
        alerts=None,
        tuning=None,
        net_benefit=None,
        verdict=replace(report.verdict, limits=(), passed=True),
        left_out={},
        data=replace(report.data, checks=(), simulated=False),
    )
    _, read = page(small)
    ids = [each["id"] for each in read.all("section")]
    assert ids == ["answer", "failures", "use", "data", "scores", "cost", "not-measured", "reproduce"]
    assert "no column of groups was named" in read.text
    assert "none set" in read.text


def test_names_of_a_users_data_are_text_and_nothing_else():
    text, read = page(hostile_report())
    assert not read.all("script")
    assert not read.all("img")
    assert not [name for _, attributes in read.tags for name in attributes if name.startswith("on") or name == "style"]
    assert read.text.count(HOSTILE[0]) > 3
    assert "{{ 7 * 7 }}" in read.text
    assert "49" not in read.text.partition("Checks of the data")[2][:2000]
    assert len(read.all("style")) == 1
    assert not re.search("[\x00\x1b\u202a-\u202e\u2066-\u2069]", text)
    assert "nan" not in read.text.lower().split()
    assert len(text.encode()) < 3_000_000


def test_what_is_not_known_is_said_with_why():
    text = page(hostile_report())[1].text
    assert "not known no positives" in text
    assert "undefined" not in text.partition("Scores of all contenders")[2].partition("Is the difference")[0]


def test_two_hundred_groups_unfold_and_none_is_lost():
    _, read = page(hostile_report())
    assert "186 more rows" in read.text
    assert all(f"group {n}" in read.text for n in range(150))


def test_words_of_two_directions_stand_apart():
    text, _ = page(hostile_report())
    assert re.search(r"<bdi>[^<]*עברית", text)


def test_every_table_has_a_caption_and_headings_with_a_scope_and_a_region_to_scroll_in():
    _, read = page()
    tables = len(read.all("table"))
    assert tables > 15
    assert len(read.all("caption")) == tables
    assert all(each.get("scope") in ("col", "row") for each in read.all("th"))
    regions = [each for _, each in read.tags if each.get("role") == "region"]
    labels = [each["aria-label"] for each in regions]
    assert len(labels) >= tables
    assert all(each["tabindex"] == "0" for each in regions)
    assert len(set(labels)) == len(labels)


def test_headings_are_in_order_and_ids_are_unique():
    text, read = page(figures={"roc.svg": drawn()[0], "mlp/learning_curves.svg": drawn("a")[0]})
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids)) > 20


def test_it_allows_itself_its_own_style_and_nothing_else():
    import base64
    import hashlib

    text, read = page(figures={"roc.svg": drawn()[0], "scores.png": drawn()[1]})
    policy = next(each["content"] for each in read.all("meta") if each.get("http-equiv"))
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)[1]
    assert f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", text)
    assert "http" not in style


def test_figures_stand_where_they_belong_and_unknown_ones_at_the_end():
    svg, png = drawn()
    _, read = page(figures={"roc.svg": svg, "bias_tpr.png": png, "brand_new.svg": svg, "scores.svg": svg})
    titles = [read.text.index(said) for said in ("Positives found against false", "TPR by group", "Brand new")]
    sections = [
        read.text.rindex(said) for said in ("Scores of all contenders", "Whom it treats worse", "Further figures")
    ]
    assert sections[0] < titles[0] < sections[1] < titles[1] < sections[2]
    assert [each["alt"].split(":")[0] for each in read.all("img")] == [
        "TPR by group. A bar for each group of people with a line for its 95\N{NO-BREAK SPACE}% interval"
    ]
    labelled = [each for each in read.all("svg") if each.get("role") == "img"]
    assert len(labelled) == 2  # scores are drawn by a table
    ids = {each.get("id") for _, each in read.tags}
    assert all(set(each["aria-labelledby"].split()) <= ids for each in labelled)


def test_a_users_own_data_have_no_use_until_they_say_it():
    report = whole_report()
    own = replace(report, data=replace(report.data, source="loans.csv"))
    text = page(own)[1].text
    assert NOT_STATED in text
    assert "it fails here" not in text


def test_the_prior_does_not_stretch_the_scale_of_the_others():
    scores = page()[0].partition('id="scores"')[2].partition('id="comparison"')[0]
    places = [float(each) for each in re.findall(r'class="point" cx="([\d.]+)%"', scores)]
    assert len(places) == 4
    assert "◂ less" in scores
    row = scores[scores.index("<bdi>prior</bdi>") :].partition("</tr>")[0]
    assert 'class="point"' not in row
    assert 'class="bar"' not in row


def test_the_pair_of_the_verdict_leads_the_comparisons():
    text = page()[1].text.partition("The lead of each network")[2]
    assert text.index("mlp over scorecard") < text.index("mlp over prior")


def test_failed_checks_come_first_and_stand_out():
    text, read = page()
    assert "bad" in [each["class"].split()[-1] for each in read.all("td") if "class" in each]
    table = text.partition("Checks of the data")[2]
    assert table.index("no duplicate rows") < table.index("<bdi>rows</bdi>")


def test_costs_that_nobody_measured_have_no_column():
    costs = page()[1].text.partition("Cost of every contender")[2][:200]
    assert "parameters" in costs
    assert "energy" not in costs
    report = whole_report()
    measured = replace(report.contenders[0], cost=replace(report.contenders[0].cost, energy_wh=0.5))
    again = page(replace(report, contenders=(measured, *report.contenders[1:])))[1].text
    assert "energy (estimate), mWh" in again.partition("Cost of every contender")[2][:200]


def test_a_search_that_failed_throughout_is_still_told():
    tried = (Tried(1, {}, NAN, 1.0, "failed", "no"),)
    report = replace(whole_report(), tuning=Tuning(0, 60.0, (Search("mlp", 1, 1, tried),)))
    assert "nothing to tune" in page(report)[1].text


def test_a_score_without_an_interval_is_drawn_as_a_point():
    report = whole_report()
    card = replace(report.contenders[0], scores={"auroc": Estimate(0.81), "f1": Estimate(NAN)})
    duel = (
        page(replace(report, contenders=(card, *report.contenders[1:])))[0]
        .partition('class="duel"')[2]
        .partition("meaning")[0]
    )
    mlp = duel.partition("<bdi>mlp</bdi>")[2].partition("<bdi>scorecard</bdi>")[0]
    assert 'class="point"' in mlp
    assert 'class="bar"' not in mlp


def test_limits_say_which_fails():
    report = whole_report()
    verdict = replace(report.verdict, limits=(LimitResult("beats_best_baseline", math.nan, 0.0, False),))
    text = page(replace(report, verdict=verdict))[1].text.partition("Limits that the task sets")[2]
    assert "beats the best baseline yes not known FAILS" in text
