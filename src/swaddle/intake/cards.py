"""Cards as keys: which health card or screening card may lead from one record to another's. Pure: text in, text out.

A card is a surer key than a name and a worse one than it looks: a mother's card is written on her baby, one card on
both twins, a placeholder on everybody, and numbers of screening cards are used again after years. So a card leads

    a health card      only where it passes its authority's check and the birth date is the same on both sides; a
                       child's only where no mother has it, and where all that bear it can be one child
    a screening card   only where it is no placeholder, the records are of about the same time, the child's birth dates
                       do not differ by more than a day, and no two births bear it

Whatever is in doubt leads nowhere: the rule is not evaluated, and counted so.
"""

from __future__ import annotations

from collections.abc import Collection

from swaddle.intake.engine import literal

CHILD_CARD, MOTHER_CARD = "child_card", "mother_card"
SCREENING = ("screen_card_id", "screening_card_id")
SPAN_OF_CARD = 400  # days between a birth and a screen that one card can join: a year, told by its first day
_PART = "chr(31)"  # no cell can hold it
_DATE_PART = len("\x1f2024-11-02")
_SHORTEST = 4


def screening_key(card: str) -> str:
    """SQL of a screening card's number as it is compared; NULL where it can be nobody's in particular."""
    bare = f"upper(regexp_replace({card}, '[^0-9A-Za-z]', '', 'g'))"
    return (
        f"CASE WHEN length({bare}) >= {_SHORTEST} AND regexp_matches({bare}, '[0-9]') "
        f"AND replace({bare}, {bare}[1], '') <> '' AND NOT contains('01234567890', {bare}) THEN {bare} END"
    )


def health_key(who: str, there: Collection[str], of: str = "") -> str:
    """SQL of a person's health card and birth date as one key; NULL where the card can lead nowhere.

    Args:
        who: mother, child or person.
        there: the columns that there are.
        of: alias of their table, with its point.
    """
    if not {f"{who}_hcn", f"{who}_hcn_authority", f"{who}_birth_date"} <= set(there):
        return "NULL::VARCHAR"
    card, authority, born = (f"{of}{who}_{name}" for name in ("hcn", "hcn_authority", "birth_date"))
    hers = f" AND {card} IS DISTINCT FROM {of}mother_hcn" if who == "child" and "mother_hcn" in there else ""
    return (
        f"CASE WHEN {card} IS NOT NULL AND identifier_status({card}, {authority}) = 'ok'{hers} "
        f"THEN {authority} || {_PART} || {card} || {_PART} || {born} END"
    )


def born_of(there: Collection[str], of: str = "") -> str:
    """SQL of the child's birth date, by whatever tells it."""
    told = [f"{of}child_birth_date"] if "child_birth_date" in there else []
    told += [f"CAST({of}screen_birth_dt AS DATE)"] if "screen_birth_dt" in there else []
    return f"coalesce({', '.join([*told, 'NULL::DATE'])})"


def keys_of(carried: Collection[str], of: str = "") -> dict[str, str]:
    """The columns that a sheet's rows have for cards."""
    cards = [f"{of}{name}" for name in SCREENING if name in carried]
    return {
        "card_key": screening_key(f"coalesce({', '.join(cards)})") if cards else "NULL::VARCHAR",
        f"{CHILD_CARD}_key": health_key("child", carried, of),
        f"{MOTHER_CARD}_key": health_key("mother", carried, of),
        "child_born": born_of(carried, of),
    }


def child_bearers(there: Collection[str], *, key: str, submitter: str, is_birth: str, number: str) -> str:
    """The columns of a relation of children by which it is told whether all that bear a card can be one child."""
    sex = "child_sex" if "child_sex" in there else "NULL::VARCHAR"
    return (
        f"{key} AS key, {submitter} AS submitter, {number} AS number, "
        f"CASE WHEN {sex} IN ('M', 'F') THEN {sex} END AS sex, CASE WHEN {is_birth} THEN local_record_id END AS born"
    )


def mother_bearers(who: str, there: Collection[str]) -> str:
    """The columns of a relation of mothers by which a child's card is told to be a mother's: card and birth date."""
    if f"{who}_hcn" not in there:
        return ""
    authority = f"{who}_hcn_authority" if f"{who}_hcn_authority" in there else "NULL::VARCHAR"
    born = f"{who}_birth_date" if f"{who}_birth_date" in there else "NULL::DATE"
    return f"{authority} || {_PART} || {who}_hcn AS card, {born} AS born"


def spoilt_sql(children: Collection[str], births: Collection[str], mothers: Collection[str]) -> str:
    """SQL of the keys that may lead nowhere: way, key.

    Args:
        children: SELECTs of `child_bearers`, of health cards.
        births: the same of births, of screening cards.
        mothers: SELECTs of `mother_bearers`.
    """
    parts = [_shared(literal(CHILD_CARD), children)] if children else []
    parts += [_shared("'card'", births)] if births else []
    if children and mothers:
        owned = f"left(c.key, length(c.key) - {_DATE_PART})"
        parts.append(
            f"SELECT DISTINCT {literal(CHILD_CARD)} AS way, c.key FROM ({' UNION ALL '.join(children)}) c "
            f"JOIN ({' UNION ALL '.join(mothers)}) m ON m.card = {owned} "
            "WHERE m.born IS NULL OR NOT ends_with(c.key, CAST(m.born AS VARCHAR))"
        )
    return " UNION ".join(parts) or "SELECT NULL::VARCHAR AS way, NULL::VARCHAR AS key WHERE false"


def _shared(way: str, bearers: Collection[str]) -> str:
    """Keys that two children bear: by their numbers or their births at one submitter, or by their sex anywhere."""
    return (
        f"SELECT {way} AS way, key FROM (SELECT key, submitter, count(DISTINCT number) AS numbers, "
        "count(DISTINCT born) AS births, min(sex) AS least, max(sex) AS most "
        f"FROM ({' UNION ALL '.join(bearers)}) WHERE key IS NOT NULL GROUP BY key, submitter) "
        "GROUP BY key HAVING max(numbers) > 1 OR max(births) > 1 OR min(least) <> max(most)"
    )


def unspoilt(way: str, column: str) -> str:
    """SQL of a key of asking, NULL where it is spoilt."""
    return (
        f"CASE WHEN {column} IS NOT NULL AND {column} NOT IN "
        f"(SELECT key FROM spoilt_cards WHERE way = {literal(way)}) THEN {column} END"
    )


def same_time(*, event_first: str, child_born: str) -> str:
    """SQL: whether a row of asking and another record of the same screening card can be of one child.

    Args:
        event_first: of the other record.
        child_born: the birth date of the other record's child.
    """
    return (
        f"abs(date_diff('day', a.event_first, {event_first})) <= {SPAN_OF_CARD} "
        f"AND coalesce(abs(date_diff('day', a.child_born, {child_born})) <= 1, true)"
    )
