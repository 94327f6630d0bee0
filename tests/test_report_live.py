"""The page about a search that is under way follows it, and is all that is served."""

import errno
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from commands import refused
from quick_searches import WORDS

from fspinn.base.errors import DataError
from fspinn.report.live import LiveReport, live_report
from fspinn.search.following import Following
from fspinn.search.journal import FILE


@pytest.fixture(scope="module")
def lines(searched):
    return (searched / FILE).read_bytes().splitlines(keepends=True)


@pytest.fixture(scope="module")
def answer(searched):
    return json.loads((searched / "result.json").read_text())


def measured(trials):
    return sum(trial["accuracy"] is not None for trial in trials)


@contextmanager
def served(folder):
    with live_report(folder) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def ask(port, path="/", method="GET", **headers):
    """Return status, headers and content of what a server answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, headers=headers)
    answered = connection.getresponse()
    content = answered.read().decode()
    connection.close()
    return answered.status, answered.headers, content


# --- what a journal says ------------------------------------------------------------------------------


def test_line_by_line_candidates_are_added_until_all_is_known(tmp_path, lines, answer):
    following, counts = Following(tmp_path), []
    assert following.so_far() is None
    for line in lines:
        with open(tmp_path / FILE, "ab") as file:
            file.write(line)
        so_far = following.so_far()
        counts.append(len(so_far["trials"]))
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert counts[-1] == measured(so_far["trials"]) == measured(answer["trials"])
    for name in ("found", "accuracy", "accuracies", "memory_bits", "outcome", "target_accuracy", "dataset"):
        assert so_far[name] == answer[name]
    assert so_far["considered"] == answer["considered"]
    memory = [[one["trials"][place]["memory_bits"] for place in one["front"]] for one in (so_far, answer)]
    assert memory[0] == memory[1]


def test_a_line_on_its_way_is_taken_once_it_is_whole(tmp_path, lines):
    whole = b"".join(lines)
    following = Following(tmp_path)
    for content in (whole[:-9], whole):
        (tmp_path / FILE).write_bytes(content)
        so_far = following.so_far()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / FILE).write_bytes(whole)
    assert so_far == Following(tmp_path / "other").so_far()
    (tmp_path / FILE).write_bytes(lines[0])  # another file
    assert following.so_far()["trials"] == []


def test_a_folder_that_cannot_be_read_is_one_line(tmp_path, monkeypatch):
    def refuse(_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    with pytest.raises(DataError, match=r"cannot be read \(Permission denied\); correct its rights$"):
        LiveReport(tmp_path)


def test_a_folder_that_is_not_that_of_a_search_is_refused(tmp_path, lines):
    assert "none: there is no such folder; start `fspinn search -o" in refused(
        "report", "--live", tmp_path / "none"
    )
    (tmp_path / "notes.txt").touch()
    assert "notes.txt: is a file; name the folder" in refused("report", "--live", tmp_path / "notes.txt")
    assert "--threads: --live needs no images; leave it out" in refused(
        "report", "--live", "--threads", 2, tmp_path
    )
    assert refused("report", "--live", tmp_path) == (
        f"fspinn: {tmp_path}: holds no search; name the folder that `fspinn search -o` writes\n"
    )
    done = next(line for line in lines if b'"done"' in line)
    of_an_older_version = done.replace(b'"setup"', b'"other"')
    other_version = lines[0].replace(b'"version": 2', b'"version": 1')
    for damaged in (
        other_version,
        b"{}\n",
        b"nonsense\n",
        done,
        of_an_older_version,
        lines[0].replace(b"asked", b"a"),
    ):
        (tmp_path / FILE).write_bytes(damaged)
        with pytest.raises(DataError, match=r"jsonl: holds no search that can be followed; name the folder"):
            LiveReport(tmp_path)
    (tmp_path / FILE).unlink()
    (tmp_path / "result.json").write_text("{}")
    assert "result.json: lacks 'found', another version" in refused("report", "--live", tmp_path)
    (tmp_path / "result.json").unlink()
    (tmp_path / FILE).mkdir()
    assert "jsonl: cannot be read (Is a directory); correct its rights" in refused(
        "report", "--live", tmp_path
    )


# --- what is served -----------------------------------------------------------------------------------


def test_the_page_and_its_data_are_served_and_nothing_else(searched):
    with served(searched) as port:
        status, headers, page = ask(port)
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert "connect-src &#39;self&#39;" in page
        status, headers, data = ask(port, "/data.json")
        assert status == 200
        assert json.loads(data)["state"].startswith("The search has finished. The page to keep is ")
        assert "<h1>The smallest network that will do: 25 neurons, UQ0.3 weights" in json.loads(data)["html"]
        again = ask(port, "/data.json", **{"If-None-Match": headers["ETag"]})
        assert (again[0], again[2]) == (304, "")
        assert ask(port, method="HEAD")[::2] == (200, "")
        others = (
            "/result.json",
            "/report.html",
            "/../result.json",
            "/data.json?",
            "/data.json/..",
            "*",
        )
        for path in others:
            assert ask(port, path)[0] == 404
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            assert ask(port, method=method)[0] == 501


def test_only_who_asks_for_this_machine_is_answered(searched):
    with served(searched) as port:
        assert ask(port, Host=f"localhost:{port}")[0] == 200
        for host in (
            "example.org",
            f"example.org:{port}",
            "127.0.0.1",
            "127.0.0.1:1",
            f"127.0.0.1.nip.io:{port}",
        ):
            assert ask(port, Host=host)[0] == 403
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.putrequest("GET", "/data.json", skip_host=True)
        connection.endheaders()
        assert connection.getresponse().status == 403


def test_what_happens_to_the_folder_is_said(tmp_path, lines, searched):
    with served(tmp_path) as port:

        def told():
            data = json.loads(ask(port, "/data.json")[2])
            return data["state"], data["html"]

        assert told() == ("The search has not begun to train networks yet.", "")
        (tmp_path / FILE).write_bytes(lines[0])
        state, html = told()
        assert state.startswith("The search has not finished; last news at ")
        assert "<h1>No network is measured yet</h1>" in html
        assert "0 candidates were measured of 6 that keep to the limits" in html
        (tmp_path / FILE).write_bytes(b"".join(lines))
        _, html = told()
        assert "<h1>So far, the smallest network that will do: 25 neurons, UQ0.3 weights" in html
        assert 'class="mark winner"' in html
        assert "the best so far" in html
        (tmp_path / FILE).write_bytes(b"nonsense\n")
        assert told()[0].startswith(f"{tmp_path / FILE}: holds no search that can be followed; ")
        for name in ("smallest.h5", "result.json"):
            (tmp_path / name).write_bytes((searched / name).read_bytes())
        assert told()[0].startswith("The search has finished.")


@pytest.mark.slow
def test_it_follows_a_search_to_its_end_and_ctrl_c_ends_it(tmp_path):
    command = [sys.executable, "-m", "fspinn"]
    with (
        subprocess.Popen(
            [*command, "report", "--live", tmp_path, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as live,
        subprocess.Popen(
            [*command, *WORDS.split(), "--json", "-o", tmp_path], stdout=subprocess.DEVNULL
        ) as search,
    ):
        try:
            port = int(json.loads(live.stdout.readline())["address"].split(":")[2].strip("/"))
            seen, deadline = [], time.monotonic() + 300
            while not seen or "has finished" not in seen[-1]["state"]:
                assert time.monotonic() < deadline
                data = json.loads(ask(port, "/data.json")[2])
                if data not in seen:
                    seen.append(data)
                time.sleep(0.01)
            assert search.wait() == 0
            counts = [one["html"].count("<tr id=") for one in seen if "not finished" in one["state"]]
            assert counts == sorted(counts)
            assert len(set(counts)) >= 3
            os.kill(live.pid, signal.SIGINT)
            assert live.communicate(timeout=20)[1].endswith("fspinn: stopped\n")
            assert live.returncode == 130
        finally:
            live.kill()
            search.kill()
