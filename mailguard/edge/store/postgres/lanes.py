"""Jobs of one kind, in their order, and as many at once as wait: the group commit of a shared database."""

import asyncio
from asyncio import Future
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from psycopg import AsyncConnection

from mailguard.core.errors import StoreError
from mailguard.core.value import dataclass

# No transaction much larger than this: those behind it wait for it.
BATCH_BYTES = 32 * 1024 * 1024
MOST_JOBS = 500

J_contra = TypeVar("J_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)


class Bulk(Protocol[J_contra, R_co]):
    """Does like jobs inside one transaction: a result for each, in their order; an exception as a result is
    that job's alone, an exception raised undoes the whole transaction.

    The transaction is a pipeline: a statement whose result nobody fetches is sent with the next one whose
    result is fetched, or with the COMMIT, and what it has done (rowcount) is not known before.
    """

    def __call__(
        self, connection: AsyncConnection[tuple[Any, ...]], jobs: Sequence[J_contra], /
    ) -> Awaitable[Sequence[R_co | Exception]]:
        """Do them."""
        ...


Made = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]
"""Does jobs and never raises: a result or an exception for each."""


# No repr: a job carries a message, and asyncio's debug log has the repr of what hangs.
@dataclass(frozen=True, eq=False, repr=False, slots=True)
class _Waiting:
    job: Any
    weight: int
    future: "Future[Any]"


class Lane:
    """One transaction at a time, made by `made`; what waits meanwhile is in the next one."""

    def __init__(self, made: Made, where: str) -> None:
        self._made = made
        self._where = where
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def put(self, job: Any, weight: int) -> Any:
        """The result of a job, or its exception."""
        future: Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(job, weight, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await future

    async def finish(self) -> None:
        """Return when nothing waits any more."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        while self._waiting:
            jobs = self._take()
            try:
                results = await self._made([one.job for one in jobs])
            except BaseException:
                stopped = StoreError(f"the store {self._where} was stopped in the middle of this")
                _settle([*jobs, *self._waiting], [stopped] * (len(jobs) + len(self._waiting)))
                self._waiting.clear()
                raise
            _settle(jobs, results)

    def _take(self) -> list[_Waiting]:
        jobs: list[_Waiting] = []
        room = BATCH_BYTES
        while self._waiting and len(jobs) < MOST_JOBS and (not jobs or self._waiting[0].weight <= room):
            jobs.append(self._waiting.popleft())
            room -= jobs[-1].weight
        return jobs


def _settle(jobs: Sequence[_Waiting], results: Sequence[Any]) -> None:
    for job, result in zip(jobs, results, strict=True):
        if job.future.done():
            continue
        if isinstance(result, Exception):
            job.future.set_exception(result)
        else:
            job.future.set_result(result)
