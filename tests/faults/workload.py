"""The workload: customers at work in a process of their own, so that they slow nothing down but the cluster."""

import logging
import multiprocessing
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Final

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from tests.apiserver import api_server
from tests.clusters import Cluster
from tests.faults.customer import Customer, Force

FORCED: Final = 2


@dataclass
class Counts:
    """What was done so far, by operation, and what was refused, by reason."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


class Workload:
    """The process with the customers; `rate` operations a second in all."""

    def __init__(self, cluster: Cluster, seed: int, *, customers: int, tenants: int, rate: float) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        arguments = (theirs, cluster, seed, customers, tenants, rate)
        self._process = context.Process(target=_work, args=arguments, name="workload", daemon=True)
        self._process.start()
        theirs.close()

    def resume(self) -> None:
        """Let the customers work."""
        self._ours.send("resume")

    def allow_force(self) -> None:
        """Let FORCED tenants more vanish without their finalizers."""
        self._ours.send("force")

    def pause(self) -> Counts:
        """Let the customers rest; returns when nothing is on its way any more, with what was done."""
        self._ours.send("pause")
        counts: Counts = self._ours.recv()
        return counts

    def stop(self) -> None:
        """End the process."""
        self._ours.close()
        self._process.join()


def _work(orders: Connection, cluster: Cluster, seed: int, customers: int, tenants: int, rate: float) -> None:
    """The process: resume and pause when told to, end when nobody is there to tell."""
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # an API server that is away is no news here
    crowd = _Crowd(cluster, customers / rate)
    for number in range(customers):
        names = [f"t-{number}-{index}" for index in range(tenants // customers)]
        crowd.add(names, f"{seed}-{number}")
    with suppress(EOFError):
        while True:
            order = orders.recv()
            if order == "resume":
                crowd.resume()
            elif order == "force":
                crowd.force.left = FORCED
            else:
                crowd.pause()
                orders.send(crowd.counts)
    crowd.stop()


class _Crowd:
    """A thread for each customer; it needs a permit for each operation, and there is none while they rest."""

    def __init__(self, cluster: Cluster, seconds_each: float) -> None:
        self.counts = Counts()
        self.force = Force(FORCED)
        self._cluster = cluster
        self._seconds_each = seconds_each
        self._permits = threading.Semaphore(0)
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def add(self, names: list[str], seed: str) -> None:
        self._threads.append(threading.Thread(target=self._work, args=(names, seed)))
        self._threads[-1].start()

    def resume(self) -> None:
        self._permits.release(len(self._threads))

    def pause(self) -> None:
        for _ in self._threads:
            self._permits.acquire()

    def stop(self) -> None:
        self._over.set()
        self.resume()
        for thread in self._threads:
            thread.join()

    def _work(self, names: list[str], seed: str) -> None:
        with api_server(self._cluster) as api:
            customer = Customer(api, names, seed, self.counts.done, self.force)
            while not self._over.is_set():
                began = time.monotonic()
                with self._permits:
                    self._act(customer)
                self._over.wait(max(0.0, self._seconds_each - (time.monotonic() - began)))

    def _act(self, customer: Customer) -> None:
        try:
            customer.act()
        except ApiException as error:
            self.counts.refused[str(error.status)] += 1
        except HTTPError:
            self.counts.refused["no answer"] += 1
