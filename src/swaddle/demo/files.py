"""The files that the demo's submitters send, and everything that a thief of them would look for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from swaddle import durable
from swaddle.demo import broken, care, cohort, deal, layout, needles
from swaddle.demo.raid import Sought

WRONG_NAME = "births.csv"
WRONG_AT = 1  # the place whose made-up file has broken rows, and that picks a wrong one besides


@dataclass(frozen=True)
class Parcel:
    """One file of one place: it becomes one transfer.

    Attributes:
        place: in cohort.SITES.
        made_up: whether its births are synthetic.
        broken: how many of its rows were broken on purpose.
        persons: how many different persons it is about: counted here, from what was written, by nobody's linkage.
        newborns: those of its made-up rows that are right, were born alive and have a screening card.
    """

    place: int
    kind: str
    path: Path
    rows: int
    made_up: bool
    broken: int
    persons: int
    newborns: tuple[care.Newborn, ...] = ()

    @property
    def beginning(self) -> bytes:
        """Its first eight bytes."""
        with self.path.open("rb") as file:
            return file.read(8)


@dataclass(frozen=True)
class Files:
    """Everything that goes along."""

    parcels: tuple[Parcel, ...]
    wrong: Path
    missing: tuple[str, ...] = ()


def make(folder: Path, *, births: int, seed: int, today: date) -> Files:
    """The synthetic cohort: a file for each place, one of them with broken rows, and one that is no data set."""
    parcels = [_made_up(folder, place, count, seed, today) for place, count in enumerate(cohort.split(births))]
    return Files(tuple(parcels), _wrong(folder))


def deal_out(folder: Path, data: Path, *, births: int, seed: int, today: date) -> Files:
    """The real files in `data`, dealt to the places, with the made-up file that has broken rows beside them."""
    found = deal.find(data)
    folders = [_folder(folder, place) for place in range(len(cohort.SITES))]
    parcels = [
        Parcel(share.place, share.kind, share.path, share.rows, made_up=False, broken=0, persons=2 * share.rows)
        for source, path in found
        for share in deal.deal(source, path, folders, seed)
    ]
    parcels.append(_made_up(folder, WRONG_AT, cohort.split(births)[WRONG_AT], seed, today))
    return Files(tuple(parcels), _wrong(folder), tuple(deal.missing(found)))


def sought_in(files: Files, scratch: Path) -> tuple[Sought, list[Path]]:
    """The needles of everything sent, and the files that hold them all: for the search that must find."""
    sought = Sought()
    texts = []
    for parcel in files.parcels:
        text = deal.as_text(parcel.path, scratch)
        texts.append(text)
        if parcel.kind == layout.KIND:
            header, *lines = text.read_bytes().splitlines()
            sought.add(needles.of_births(header.split(b","), lines))
        else:
            sought.add(needles.of_rows(deal.rows_of(text)))
        if text != parcel.path:
            texts.append(parcel.path)
            sought.add(needles.of_file(parcel.path))
    return sought, texts


def _made_up(folder: Path, place: int, count: int, seed: int, today: date) -> Parcel:
    """One place's synthetic births of the two years that ended with the last month."""
    last_day = today.replace(day=1) - timedelta(days=1)
    made = list(cohort.births(cohort.SITES[place], count, seed=seed, last_day=last_day, days=cohort.HISTORY_DAYS))
    rows = [layout.row(birth) for birth in made]
    wrong = broken.break_some(rows, seed) if place == WRONG_AT else {}
    path = _folder(folder, place) / f"births-{last_day.year}.csv"
    path.write_bytes(b"\n".join(layout.lines(rows)) + b"\n")
    persons = len({birth.mother_id for birth in made}) + len({birth.child_id for birth in made})
    right = tuple(care.newborns(place, (row for at, row in enumerate(rows) if at not in wrong)))
    return Parcel(place, layout.KIND, path, count, made_up=True, broken=len(wrong), persons=persons, newborns=right)


def _wrong(folder: Path) -> Path:
    path = _folder(folder, WRONG_AT) / WRONG_NAME
    path.write_bytes(broken.picture())
    return path


def _folder(folder: Path, place: int) -> Path:
    path = folder / cohort.SITES[place].folder
    durable.make_folder(path)
    return path
