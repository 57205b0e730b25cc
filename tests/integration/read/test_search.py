"""Free text in every script, before the index of words is built and after."""

from __future__ import annotations

from typing import Final

import pytest

from appliance.storage.clickhouse.queries import render
from appliance.storage.clickhouse.search import traces_with_text
from appliance.storage.clickhouse.where import Binder
from appliance.storage.clickhouse.words import has_words
from tests.integration.read.conftest import NOW, SECOND, Project

TEXTS: Final = {
    "signs": (
        "He asked: “refund policy”—then left… ok\nSure—reimbursement within 30\u00a0days • guaranteed👍 naïve café’s"
    ),
    "more signs": "«facture»¿qué?Langfuse™note¹ 100€\u200bjoined¡hola!→arrow re\u00adturn",
    "chinese": "请问你们的退款政策是什么？使用GPT4模型",
    "japanese": "返品ポリシーを教えてください",
    "narrow": "ﾎﾟﾘｼｰ ＡＢＣ１２３",
    "korean": "환불정책을 알려주세요",
    "thai": "นโยบายการคืนเงินคืออะไร",
    "lao and khmer": "ນະໂຍບາຍ គោលការណ៍សងប្រាក់",
    "russian": "Привет мир. Как дела?",
    "german": "Überraschung in der Straße",
    "turkish": "İstanbul ve ISPARTA",
    "greek": "ΣΊΣΥΦΟΣ και",
    "hindi": "धनवापसी नीति क्या है?",
    "arabic": "ما هي سياسة الاسترداد؟",
    "persian": "می\u200cخواهم",
    "decomposed": "Cafe\u0301 か\u3099",
    "code": "/srv/app/data_set-01.json user_id=42 don't 3f2a9c",
    "ascii": "plain ascii refund policy here",
}

FOUND: Final = [
    ("refund", {"signs", "ascii"}),
    ("POLICY", {"signs", "ascii"}),
    ("refund policy", {"signs", "ascii"}),
    ("“refund policy”", {"signs"}),
    ('"refund policy"', {"signs"}),
    ("then left", {"signs"}),
    ("reimbursement", {"signs"}),
    ("within 30 days", {"signs"}),
    ("days", {"signs"}),
    ("guaranteed", {"signs"}),
    ("👍", {"signs"}),
    ("•", {"signs"}),
    ("naïve", {"signs"}),
    ("CAFÉ", {"signs", "decomposed"}),
    ("cafe\u0301", {"signs", "decomposed"}),
    ("café's", {"signs"}),
    ("facture", {"more signs"}),
    ("qué", {"more signs"}),
    ("langfuse", {"more signs"}),
    ("note", {"more signs"}),
    ("joined", {"more signs"}),
    ("hola", {"more signs"}),
    ("arrow", {"more signs"}),
    ("return", {"more signs"}),
    ("100€", {"more signs"}),
    ("退款", {"chinese"}),
    ("退款政策", {"chinese"}),
    ("请问", {"chinese"}),
    ("款", {"chinese"}),
    ("gpt4", {"chinese"}),
    ("使用gpt4模", {"chinese"}),
    ("政策退款", set()),
    ("ポリシー", {"japanese", "narrow"}),
    ("教えて", {"japanese"}),
    ("abc123", {"narrow"}),
    ("환불", {"korean"}),
    ("정책을 알려", {"korean"}),
    ("คืนเงิน", {"thai"}),
    ("ໂຍບາຍ", {"lao and khmer"}),
    ("សងប្រាក់", {"lao and khmer"}),
    ("Привет", {"russian"}),
    ("привет МИР", {"russian"}),
    ("как", {"russian"}),
    ("прив", set()),
    ("überraschung", {"german"}),
    ("ÜBERRASCHUNG", {"german"}),
    ("STRASSE", {"german"}),
    ("straße", {"german"}),
    ("istanbul", {"turkish"}),
    ("İSTANBUL", {"turkish"}),
    ("ısparta", {"turkish"}),
    ("σίσυφος", {"greek"}),
    ("नीति", {"hindi"}),
    ("الاسترداد", {"arabic"}),
    ("میخواهم", {"persian"}),
    ("が", {"decomposed"}),
    ("data_set", {"code"}),
    ("/srv/app/data_set-01.json", {"code"}),
    ("srv app", set()),
    ("user_id=42", {"code"}),
    ("don’t", {"code"}),
    ("3F2A9C", {"code"}),
    ("fund", set()),
    ("…", {"signs"}),
    ("‽", set()),
]


@pytest.fixture
async def told(project: Project) -> Project:
    for number, (name, text) in enumerate(TEXTS.items()):
        await project.observation(name, "o", at=NOW + number * SECOND, input=text)
        await project.trace(name, at=NOW + number * SECOND)
        await project.trace(f"part of {name}", at=NOW + number * SECOND, output=text)
    return project


async def test_what_stands_in_a_text_is_found(told: Project) -> None:
    assert await _wrongly_found(told) == {}
    for table in ("observations", "trace_parts"):
        await told.clickhouse.command(f"ALTER TABLE {table} MATERIALIZE INDEX by_words SETTINGS mutations_sync = 2")
    assert await _wrongly_found(told) == {}


async def _wrongly_found(told: Project) -> dict[str, object]:
    wrong: dict[str, object] = {}
    for text, names in FOUND:
        binder = Binder({"project_id": told.id})
        sql = traces_with_text(text, binder, 0)
        found = {row["trace_id"] for row in await told.clickhouse.rows(sql, binder.params, dict[str, str])}
        if found != names | {f"part of {name}" for name in names}:
            wrong[text] = found
    return wrong


@pytest.mark.parametrize(
    ("text", "name"), [("reimbursement", "signs"), ("退款", "chinese"), ("ÜBERRASCHUNG", "german")]
)
async def test_lists_find_it(told: Project, text: str, name: str) -> None:
    condition = {"type": "string", "column": "search", "operator": "contains", "value": text}
    assert set(await told.ids("/traces", filter=[condition])) == {name, f"part of {name}"}
    for path in ("/observations", "/v2/observations"):
        assert [row["traceId"] for row in (await told.get(path, filter=[condition]))["data"]] == [name]
    for column, operator in (("input", "matches"), ("input", "contains")):
        if text != "ÜBERRASCHUNG" or operator == "matches":
            condition = {"type": "string", "column": column, "operator": operator, "value": text}
            assert [row["traceId"] for row in (await told.get("/v2/observations", filter=[condition]))["data"]] == [
                name
            ]


async def test_the_index_is_used_for_words_of_all_scripts(told: Project) -> None:
    """Else every search would read all texts: the expressions of the index are those of the search."""
    for name, table in (("observation_text", "observations"), ("part_text", "trace_parts")):
        has = has_words(render("search", name), "退款政策 Überraschung", "{text:String}")
        sql = f"EXPLAIN indexes = 1 SELECT count() FROM {table} WHERE {has}"
        plan = await told.clickhouse.rows(sql, {"text": "退款政策 Überraschung"}, dict[str, str])
        text = "\n".join(row["explain"] for row in plan)
        assert "by_words" in text and "款政" in text and "überraschung" in text


async def test_the_words_of_other_projects_are_not_looked_up(told: Project) -> None:
    """How long an answer takes must not tell what other projects say."""
    hits = render(
        "search", "hits", observation_has=has_words(render("search", "observation_text"), "refund", "'refund'")
    )
    plan = await told.clickhouse.rows(f"EXPLAIN indexes = 1 {hits}", {"project_id": "another"}, dict[str, str])
    by_primary_key = "\n".join(row["explain"] for row in plan).partition("PrimaryKey")[2].partition("Skip")[0]
    assert "Granules: 0/" in by_primary_key
