"""What each SFTP request does: names and handles of one session, over its key's shelf and the folder `answers/`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from swaddle.gateway import sftp_files, sftp_names
from swaddle.gateway import sftp_packets as packets
from swaddle.gateway.sftp_answers_open import AnswerHandle, AnswersFolder
from swaddle.gateway.sftp_files import Event, Known, Opening, Refused, State
from swaddle.gateway.sftp_home import Settings
from swaddle.gateway.sftp_names import Sort, canonical_path, sort_of
from swaddle.gateway.sftp_packets import Attributes, Cursor, Flag, Kind, Request, Status
from swaddle.gateway.sftp_shelf import DoorFile, Keeper, Shelf

MOST_FOLDERS = 256
_ENTRIES_AT_ONCE = 64
Work = Coroutine[Any, Any, bytes]


@dataclass(eq=False)
class FileHandle:
    """A file open for writing."""

    file: DoorFile
    has_failed: bool = False


@dataclass(eq=False)
class FolderHandle:
    """A folder being listed."""

    entries: list[tuple[bytes, bytes, Attributes]] = field(default_factory=list)


Handle = FileHandle | FolderHandle | AnswerHandle


class Requests:
    """One session's names, handles and folders."""

    def __init__(
        self, settings: Settings, keeper: Keeper, shelf: Shelf, report_bug: Callable[[BaseException], None]
    ) -> None:
        """Begin a session on a shelf."""
        self._settings = settings
        self._keeper = keeper
        self._shelf = shelf
        self._handles: dict[bytes, Handle] = {}
        self._next = 0
        self._answers = AnswersFolder(keeper, shelf)
        self._tasks: set[asyncio.Future[None]] = set()
        self._table = self._operations()
        self.report_bug = report_bug
        self.on_room: Callable[[], None] = lambda: None
        shelf.folders |= settings.folder_paths
        shelf.enter()

    def answer(self, request: Request) -> bytes | Work:
        """The answer, or what must be awaited for it.

        Raises:
            Refused, NameRefused: it is not done.
            BadPacket: it is cut short.
        """
        fields = request.fields
        if request.kind == Kind.EXTENDED:
            return self._extended(request.number, fields.text(), fields)
        operation = self._table.get(request.kind)
        if operation is None:
            return packets.status(request.number, Status.NOT_SUPPORTED, "this door does not do that")
        return operation(request.number, fields)

    def writable(self, name: bytes) -> FileHandle:
        """The file behind a handle, to write to.

        Raises:
            Refused: there is none, it failed, or another session goes on with it.
        """
        handle = self._handles.get(name)
        if not isinstance(handle, FileHandle) or handle.has_failed or handle.file.owner is not self:
            raise Refused("this file can no longer be written to; send it again")
        return handle

    def fail(self, handle: FileHandle) -> None:
        """Something went wrong with a file that is open: nothing of it is kept."""
        handle.has_failed = True
        self._keeper.spawn(self._shelf.drop(handle.file, Event.FAIL))

    @property
    def is_full(self) -> bool:
        """Whether a file of this session has as much under way as may be."""
        return any(
            isinstance(handle, FileHandle) and not handle.has_failed and handle.file.upload.sealing.is_full
            for handle in self._handles.values()
        )

    @property
    def has_open_file(self) -> bool:
        """Whether a client is in the middle of a file."""
        return any(isinstance(handle, FileHandle) for handle in self._handles.values())

    def keep_task(self, task: asyncio.Future[None]) -> None:
        """Hold a task until it is done."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def finish(self) -> None:
        """The session is over: what is open is broken, what lies under a script's name is taken as it is."""
        for handle in list(self._handles.values()):
            if isinstance(handle, FileHandle) and handle.file.owner is self and handle.file.state is State.COMING:
                self._shelf.lay(handle.file, Event.CUT)
        for file in list(self._shelf.files.values()):
            if file.last is self and sftp_files.settling(file.state, self._sort(file.path)):
                self._keeper.spawn(self._shelf.commit(file, Event.SETTLE))
        readings = [handle for handle in self._handles.values() if isinstance(handle, AnswerHandle)]
        self._handles.clear()
        self._keeper.spawn(self._answers.hang_up(readings))
        self._shelf.leave()

    # --- one method a request

    def _operations(self) -> dict[int, Callable[[int, Cursor], bytes | Work]]:
        return {
            Kind.OPEN: self._open,
            Kind.CLOSE: self._close,
            Kind.READ: self._read,
            Kind.LSTAT: self._stat,
            Kind.STAT: self._stat,
            Kind.FSTAT: self._fstat,
            Kind.SETSTAT: self._setstat,
            Kind.FSETSTAT: self._fsetstat,
            Kind.OPENDIR: self._opendir,
            Kind.READDIR: self._readdir,
            Kind.REMOVE: self._remove,
            Kind.MKDIR: self._mkdir,
            Kind.RMDIR: self._rmdir,
            Kind.REALPATH: self._realpath,
            Kind.RENAME: self._rename,
        }

    def _extended(self, number: int, name: bytes, fields: Cursor) -> bytes | Work:
        if name == packets.POSIX_RENAME:
            return self._rename(number, fields)
        if name == packets.LSETSTAT:
            return self._setstat(number, fields)
        if name == packets.LIMITS:
            return packets.limits(number, self._settings.files_each)
        if name == packets.FSYNC:
            self.writable(fields.text())  # what is durable is said at the close, and not before
            return _ok(number)
        return packets.status(number, Status.NOT_SUPPORTED, "this door does not do that")

    def _open(self, number: int, fields: Cursor) -> bytes | Work:
        path, flags = canonical_path(fields.text()), fields.u32()
        if len(self._handles) >= self._settings.files_each:
            raise Refused("too many files are open at once")
        if sftp_names.is_answer(path) and not flags & Flag.WRITE:
            return self._open_answer(number, path)
        found = sftp_files.opening(path, flags, self._known(path), self._shelf.folders)
        if found is not Opening.RESUME and len(self._shelf.taken) >= self._settings.names_each:
            raise Refused("too many files in one session; connect again")
        return self._open_file(number, path, found)

    async def _open_answer(self, number: int, path: str) -> bytes:
        return packets.handle(number, self._new_handle(await self._answers.open(path)))

    async def _open_file(self, number: int, path: str, found: Opening) -> bytes:
        file = self._shelf.files.get(path)
        if found is Opening.AGAIN and file is not None:
            await self._shelf.drop(file, Event.REMOVE)
            file = None
        if file is None:
            file = await self._shelf.new(path, self, self._on_room)
        else:
            self._shelf.take_over(file, self, self._on_room)
        return packets.handle(number, self._new_handle(FileHandle(file)))

    def _close(self, number: int, fields: Cursor) -> bytes | Work:
        handle = self._handles.pop(fields.text(), None)
        if handle is None:
            raise Refused("there is no such handle")
        if isinstance(handle, FolderHandle):
            return _ok(number)
        if isinstance(handle, AnswerHandle):
            return self._answers.close(number, handle)
        return self._close_file(number, handle)

    async def _close_file(self, number: int, handle: FileHandle) -> bytes:
        file = handle.file
        if handle.has_failed or file.owner is not self:
            raise Refused("this file was not taken; send it again")
        event = sftp_files.closing(self._sort(file.path))
        if event is Event.CLOSE_OTHER:
            self._shelf.lay(file, event)
        else:
            await self._shelf.commit(file, event)
        return _ok(number)

    def _read(self, number: int, fields: Cursor) -> bytes | Work:
        handle, offset, length = self._handles.get(fields.text()), fields.u64(), fields.u32()
        if not isinstance(handle, AnswerHandle):
            raise Refused("this door takes files and gives none back", Status.PERMISSION_DENIED)
        return self._answers.read(number, handle, offset, min(length, packets.MOST_READ_BYTES))

    def _stat(self, number: int, fields: Cursor) -> bytes | Work:
        path = canonical_path(fields.text())
        if sftp_names.is_answer(path) and path != sftp_names.ANSWERS:
            return self._answers.stat(number, path)
        return packets.attributes(number, self._attributes(path))

    def _fstat(self, number: int, fields: Cursor) -> bytes:
        handle = self._handles.get(fields.text())
        if isinstance(handle, FileHandle):
            return packets.attributes(number, handle.file.attributes)
        if isinstance(handle, AnswerHandle):
            found = Attributes.answer(handle.opened.size_bytes, handle.answer.modified)
            return packets.attributes(number, found)
        raise Refused("there is no such handle")

    def _setstat(self, number: int, fields: Cursor) -> bytes:
        path = canonical_path(fields.text())
        found = self._attributes(path)
        return self._set(number, self._shelf.files.get(path), found, fields.attributes(), path)

    def _fsetstat(self, number: int, fields: Cursor) -> bytes:
        file = self.writable(fields.text()).file
        return self._set(number, file, file.attributes, fields.attributes(), file.path)

    def _set(self, number: int, file: DoorFile | None, found: Attributes, wanted: Attributes, path: str) -> bytes:
        """Times are remembered, rights mean nothing here, and a length cannot be set: it is what came."""
        if wanted.size_bytes not in {None, found.size_bytes}:
            raise Refused("a file is as long as what came of it; its length cannot be set")
        if wanted.modified is not None:
            if file is not None:
                file.modified = wanted.modified
            elif path in self._shelf.taken:
                self._shelf.taken[path] = Attributes.sent(self._shelf.taken[path].size_bytes or 0, wanted.modified)
        return _ok(number)

    def _opendir(self, number: int, fields: Cursor) -> bytes | Work:
        path = canonical_path(fields.text())
        if path == sftp_names.ANSWERS:
            return self._list_answers(number)
        if not sftp_files.is_folder(path, self._shelf.folders):
            raise Refused("there is no such folder", Status.NO_SUCH_FILE)
        return packets.handle(number, self._new_handle(FolderHandle()))

    async def _list_answers(self, number: int) -> bytes:
        return packets.handle(number, self._new_handle(FolderHandle(await self._answers.entries())))

    def _readdir(self, number: int, fields: Cursor) -> bytes:
        handle = self._handles.get(fields.text())
        if not isinstance(handle, FolderHandle):
            raise Refused("there is no such handle")
        if not handle.entries:
            return packets.status(number, Status.EOF)
        now, handle.entries = handle.entries[:_ENTRIES_AT_ONCE], handle.entries[_ENTRIES_AT_ONCE:]
        return packets.names(number, now)

    def _remove(self, number: int, fields: Cursor) -> Work:
        path = canonical_path(fields.text())
        if sftp_names.is_answer(path) or path in self._shelf.taken:
            raise Refused("this cannot be removed", Status.PERMISSION_DENIED)
        file = self._shelf.files.get(path)
        if file is None:
            raise Refused("there is no such file", Status.NO_SUCH_FILE)
        return self._remove_file(number, file)

    async def _remove_file(self, number: int, file: DoorFile) -> bytes:
        await self._shelf.drop(file, Event.REMOVE)
        return _ok(number)

    def _mkdir(self, number: int, fields: Cursor) -> bytes:
        path = canonical_path(fields.text())
        if self._is_known(path) or sftp_files.is_folder(path, self._shelf.folders) or sftp_names.is_answer(path):
            raise Refused("there is something of that name")
        if len(self._shelf.folders) >= MOST_FOLDERS:
            raise Refused("too many folders in one session")
        self._shelf.folders.add(path)
        return _ok(number)

    def _rmdir(self, number: int, fields: Cursor) -> bytes:
        path = canonical_path(fields.text())
        if path not in self._shelf.folders:
            code = Status.PERMISSION_DENIED if sftp_files.is_folder(path, ()) else Status.NO_SUCH_FILE
            raise Refused("this folder cannot be removed", code)
        self._shelf.folders.discard(path)
        return _ok(number)

    def _realpath(self, number: int, fields: Cursor) -> bytes:
        path = canonical_path(fields.text()).encode()
        return packets.names(number, [(path, path, Attributes())])

    def _rename(self, number: int, fields: Cursor) -> bytes | Work:
        old, new = canonical_path(fields.text()), canonical_path(fields.text())
        event = sftp_files.renaming(self._known(old), new, self._is_known(new), self._sort(new), self._shelf.folders)
        file = self._shelf.files[old]
        self._shelf.rename(file, new)
        return _ok(number) if event is None else self._rename_final(number, file, event)

    async def _rename_final(self, number: int, file: DoorFile, event: Event) -> bytes:
        await self._shelf.commit(file, event)
        return _ok(number)

    # --- what this session knows

    def _attributes(self, path: str) -> Attributes:
        if sftp_files.is_folder(path, self._shelf.folders):
            return Attributes.folder()
        if path in self._shelf.taken:
            return self._shelf.taken[path]
        if (file := self._shelf.files.get(path)) is not None:
            return file.attributes
        raise Refused("there is no such file", Status.NO_SUCH_FILE)

    def _known(self, path: str) -> Known | None:
        if path in self._shelf.taken:
            return Known(State.TAKEN, is_open_here=False)
        file = self._shelf.files.get(path)
        return None if file is None else Known(file.state, is_open_here=file.owner is self)

    def _is_known(self, path: str) -> bool:
        return path in self._shelf.taken or path in self._shelf.files

    def _sort(self, path: str) -> Sort:
        return sort_of(path, self._settings.working_names)

    def _new_handle(self, handle: Handle) -> bytes:
        self._next += 1
        name = self._next.to_bytes(4, "big")
        self._handles[name] = handle
        return name

    def _on_room(self) -> None:
        self.on_room()


def _ok(number: int) -> bytes:
    return packets.status(number, Status.OK)
