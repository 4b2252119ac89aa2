"""The port of what bytes rest in, asked of a folder and of an S3 server alike."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aisle.errors import ConfigError
from aisle.lake.storage import Storage, open_storage

NAMES = ("01.csv", "a b.csv", "ä/ü.csv", "x%20y.csv", "plus+sign.csv", "it's #1.csv", "2025/02/part=1/a.csv")


def written(storage: Storage, path: str, data: bytes) -> None:
    with storage.receive() as arriving:
        for start in range(0, len(data), 1 << 20):
            arriving.write(data[start : start + (1 << 20)])
        arriving.keep(path)


def test_what_is_received_is_there_whole_under_its_name(storage: Storage) -> None:
    data = secrets.token_bytes(20 << 20)
    written(storage, "a/big", data)
    with storage.open("a/big") as opened:
        assert opened.read() == data
    assert Path(storage.local("a/big")).read_bytes() == data
    assert Path(open_storage(str(storage)).local("a/big")).read_bytes() == data, "also for who did not write it"
    assert storage.exists("a/big")
    assert [(e.path, e.size) for e in storage.entries()] == [("a/big", len(data))]


def test_what_is_received_and_not_kept_is_nowhere(storage: Storage) -> None:
    with pytest.raises(RuntimeError), storage.receive() as arriving:
        arriving.write(b"half")
        raise RuntimeError
    assert list(storage.entries()) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_kept_as_it_is(storage: Storage, name: str) -> None:
    written(storage, f"drops/{name}", name.encode())
    assert [e.path for e in storage.entries("drops")] == [f"drops/{name}"]
    assert storage.names("drops") == [name.split("/", maxsplit=1)[0]]
    assert storage.get(f"drops/{name}") == name.encode()
    with storage.open(f"drops/{name}") as opened:
        assert opened.read() == name.encode()
    storage.delete(f"drops/{name}")
    assert storage.get(f"drops/{name}") is None


def test_files_and_folders_are_told_apart(storage: Storage) -> None:
    for path in ("top.csv", "orders/1.csv", "orders/2.csv", "items/deep/1.csv"):
        storage.put(path, b"x")
    assert storage.folders() == ["items", "orders"]
    assert storage.files() == ["top.csv"]
    assert storage.names("") == ["items", "orders", "top.csv"]
    assert storage.names("orders") == ["1.csv", "2.csv"]
    assert sorted(e.path for e in storage.entries("orders")) == ["orders/1.csv", "orders/2.csv"]
    assert storage.names("nothing") == []
    assert list(storage.entries("nothing")) == []


def test_a_prefix_is_no_part_of_a_name(storage: Storage) -> None:
    storage.put("orders/1.csv", b"x")
    storage.put("orders_old/1.csv", b"x")
    assert [e.path for e in storage.entries("orders")] == ["orders/1.csv"]


def test_a_stamp_changes_with_the_content(storage: Storage) -> None:
    storage.put("a", b"1")
    [first] = storage.entries()
    storage.put("a", b"2")
    [second] = storage.entries()
    assert first.stamp != second.stamp


def test_of_racing_writers_of_one_name_one_wins(storage: Storage) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda i: storage.put_if_absent("a/b", str(i).encode()), range(50)))
    assert sum(won) == 1
    assert storage.get("a/b") == str(won.index(True)).encode()
    assert storage.names("a") == ["b"]


def test_only_what_is_expected_is_swapped(storage: Storage) -> None:
    assert not storage.swap("a", b"", b"new")
    assert storage.put_if_absent("a", b"old")
    assert not storage.swap("a", b"other", b"new")
    assert storage.get("a") == b"old"
    assert storage.swap("a", b"old", b"new")
    assert storage.get("a") == b"new"
    assert storage.swap("a", b"new", b"")
    assert not storage.get("a")


def test_of_racing_swaps_one_wins(storage: Storage) -> None:
    for _ in range(5):
        storage.put("a", b"old")
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda i: storage.swap("a", b"old", str(i).encode()), range(16)))
        assert sum(won) == 1
        assert storage.get("a") == str(won.index(True)).encode()


def test_both_can_keep_two_writers_apart(storage: Storage) -> None:
    storage.assert_exclusive()
    assert list(storage.entries()) == [], "and looking leaves nothing"


def test_what_is_not_there_is_said_by_none_or_false(storage: Storage) -> None:
    assert storage.get("x") is None
    assert not storage.exists("x")
    storage.delete("x")


def test_what_is_below_a_path_is_cleared_and_nothing_beside_it(storage: Storage) -> None:
    for path in ("a/b/1", "a/b/c/2", "a/bc", "d"):
        storage.make_folder(path.rpartition("/")[0])
        storage.put(path, b"x")
    storage.clear("a/b")
    storage.clear("nowhere")
    assert sorted(entry.path for entry in storage.entries()) == ["a/bc", "d"]


def test_what_holds_nothing_is_pruned_and_no_more(storage: Storage) -> None:
    for path in ("a/b", "a/c/d", "e"):
        storage.make_folder(path)
    storage.put("a/b/1", b"x")
    storage.prune("a")
    storage.prune("e")
    storage.prune("nowhere")
    assert (storage.names(""), storage.names("a")) == (["a"], ["b"])
    assert storage.get("a/b/1") == b"x"


@pytest.mark.parametrize("address", ["s3://", "s3:///lake", "s3://shop/la*ke", "s3://shop/what?", "s3://shop/[x]", "s3://shop/ä"])
def test_an_address_that_readers_would_take_for_another_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="s3://"):
        open_storage(address)


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="gs://"):
        open_storage("gs://bucket/lake")
