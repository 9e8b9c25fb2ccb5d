"""Files of Anthropic: uploaded, listed, named in messages, expired; those that tools write are downloaded."""

# ruff: noqa: ANN401, TID251 - SDK objects are anything; programs sleep
from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import anthropic
import pytest

from harness import Reply, ServerTool
from harness.errors import HarnessError, StubError
from harness.sim import Sim
from harness.wire.http import HttpRequest

BETA = "files-api-2025-04-14"
PDF = b"%PDF-1.7 one page"
PNG = b"\x89PNG\r\n\x1a\n and so on"
TEXT = "The grass is green."
INLINE = {"type": "text", "media_type": "text/plain", "data": TEXT}
GIVEN = {"pdf": PDF, "png": PNG, "text": TEXT, "csv": b"a,b\n1,2\n"}
"""Files that were uploaded before the run, by their ids."""


def client() -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="k", max_retries=0)


def asking(*blocks: Any, tools: Any = (), model: str = "claude-sonnet-4-6") -> Any:
    said: Any = [{"role": "user", "content": [*blocks, {"type": "text", "text": "hi"}]}]
    return client().messages.create(model=model, max_tokens=1000, messages=said, tools=tools)


def named(file_id: str, kind: str = "document", **more: Any) -> dict[str, Any]:
    return {"type": kind, "source": {"type": "file", "file_id": file_id}, **more}


def refused(program: Callable[..., Any], *args: Any, **more: Any) -> tuple[str, int, str]:
    with pytest.raises(anthropic.APIStatusError) as caught:
        program(*args, **more)
    body: Any = caught.value.body
    assert caught.value.response.headers["x-should-retry"] == "false"
    return type(caught.value).__name__, caught.value.status_code, body["error"]["message"]


@pytest.fixture
def there(sim: Sim) -> Sim:
    """Some files are there, and an agent who says something."""
    sim.provider("anthropic", files=GIVEN)
    sim.agent("agent", model="*", reply="ok", allow_unused=True)
    return sim


# -- the files themselves --------------------------------------------------------------------------------------------


def test_an_upload_is_told_of_until_it_is_deleted(sim: Sim) -> None:
    def program() -> Any:
        files = client().files
        time.sleep(30)
        file = files.upload(file=("dir/a.pdf", PDF, "application/pdf"))
        assert files.retrieve_metadata(file.id) == file
        deleted = files.delete(file.id)
        assert (deleted.id, deleted.type) == (file.id, "file_deleted")
        assert refused(files.retrieve_metadata, file.id) == (
            "NotFoundError",
            404,
            f"File `{file.id}` not found.",
        ) or pytest.fail("it is still there")
        return file.to_dict(mode="json")

    file = sim.run(program).output
    assert file.pop("id").startswith("file_011C")
    assert file == {
        "type": "file",
        "filename": "a.pdf",
        "mime_type": "application/pdf",
        "size_bytes": len(PDF),
        "created_at": "2026-01-01T00:00:30Z",
        "downloadable": False,
        "expires_at": None,
    }


@pytest.mark.parametrize(
    ("file", "name", "media_type"),
    [
        (("a.txt", b"x"), "a.txt", "text/plain"),
        (("C:\\docs\\a.txt", b"x"), "a.txt", "text/plain"),
        (("", b"x", "text/plain"), "unnamed.txt", "text/plain"),
        (("docs/", b"x", "image/png"), "unnamed.png", "image/png"),
        (("später.csv", b"x", "text/plain"), "später.csv", "text/plain"),
        (("a", b"x", "x/y"), "a", "x/y"),
        (("", b"x", "x/y"), "unnamed", "x/y"),
    ],
)
def test_the_last_part_of_a_name_is_kept_and_none_is_made_up(
    sim: Sim, file: Any, name: str, media_type: str
) -> None:
    def program() -> Any:
        return client().files.upload(file=file)

    kept = sim.run(program).output
    assert (kept.filename, kept.mime_type) == (name, media_type)


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("x", PDF, "application/pdf"),
        ("x", PNG, "image/png"),
        ("a.MD", b"# A", "text/markdown"),
        ("x", b"\x00", "application/octet-stream"),
    ],
)
def test_the_type_of_a_file_is_found_where_none_is_said_and_the_beta_wants_one(
    bench: Any, name: str, content: bytes, found: str
) -> None:
    form = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = form.encode() + content + b"\r\n--x--\r\n"
    kind = {"content-type": "multipart/form-data; boundary=x"}
    assert bench.own("POST", "/v1/files", body, headers=kind)["mime_type"] == found
    told = bench.own("POST", "/v1/files", body, headers={**kind, "anthropic-beta": BETA})
    assert told["error"]["message"] == "file: Content-Type is required"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (("a.txt", b""), "file: File must not be empty"),
        (("a<b.txt", b"x"), "file: Filename contains forbidden characters"),
        (("why?", b"x"), "file: Filename contains forbidden characters"),
        (("a" * 256, b"x"), "file: Filename must be between 1 and 255 characters long"),
    ],
)
def test_a_file_that_is_not_allowed_is_refused(sim: Sim, file: Any, words: str) -> None:
    def program() -> object:
        return refused(client().files.upload, file=file)

    assert sim.run(program).output == ("BadRequestError", 400, words)


@pytest.mark.parametrize(
    ("life_s", "words"),
    [
        (3599, "expires_in_seconds: Input should be greater than or equal to 3600"),
        (7_776_001, "expires_in_seconds: Input should be less than or equal to 7776000"),
        ("soon", "expires_in_seconds: Input should be a valid integer"),
    ],
)
def test_a_life_that_is_not_allowed_is_refused(sim: Sim, life_s: Any, words: str) -> None:
    def program() -> object:
        return refused(client().files.upload, file=("a", b"x"), expires_in_seconds=life_s)

    assert sim.run(program).output[1:] == (400, words)


def test_what_is_no_form_or_has_no_file_is_refused(bench: Any) -> None:
    for kind, body in (
        ("application/json", b"{}"),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
    ):
        told = bench.own("POST", "/v1/files", body, headers={"content-type": kind})
        assert told["error"]["type"] == "invalid_request_error"


def test_a_file_of_more_than_500_mb_is_refused_before_it_has_come(bench: Any) -> None:
    headers = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
    host = "api.anthropic.com"
    large = HttpRequest("POST", host, "/v1/files", "", headers, b"", too_large=True)
    assert bench.api.read(large, bench.ids()).status == 413


def test_a_file_that_expires_is_told_of_for_30_days_and_read_no_more(there: Sim) -> None:
    def program() -> None:
        files = client().files
        file = files.upload(file=("a.txt", b"x", "text/plain"), expires_in_seconds=3600)
        asking(named(file.id))
        time.sleep(3600)
        for use in (lambda: files.download(file.id), lambda: asking(named(file.id))):
            told = ("FileExpiredError", 404, f"File `{file.id}` has expired.")
            assert refused(use) == told
        assert files.retrieve_metadata(file.id).expires_at == file.expires_at
        assert file.id in [one.id for one in files.list()]
        time.sleep(30 * 86_400)
        assert file.id not in [one.id for one in files.list()]
        assert refused(files.delete, file.id)[1] == 404

    there.run(program, horizon_s=40 * 86_400)


# -- lists ----------------------------------------------------------------------------------------------------------


def five_files() -> list[str]:
    """Their ids, the newest first."""
    files = client().files
    return [files.upload(file=(f"{n}.txt", b"x")).id for n in range(5)][::-1]


def test_files_are_listed_page_by_page_and_new_ones_move_nothing(sim: Sim) -> None:
    def program() -> None:
        ids, files = five_files(), client().files
        first = files.list(limit=2)
        assert [one.id for one in first.data] == ids[:2]
        files.upload(file=("new.txt", b"x"))
        rest = first.get_next_page()
        assert [one.id for one in rest] == ids[2:]
        assert rest.next_page is None or rest.next_page.startswith("page_")
        assert [one.id for one in files.list(ids=[ids[3], "file_none", ids[1]])] == [ids[1], ids[3]]

    sim.run(program)


def test_the_beta_has_pages_of_its_own_and_says_nothing_of_lives(sim: Sim) -> None:
    def program() -> None:
        ids, files = five_files(), client().beta.files
        page: Any = files.list(limit=2, betas=[BETA])
        assert (page.has_more, page.first_id, page.last_id) == (True, ids[0], ids[1])
        assert "expires_at" not in page.data[0].to_dict()
        before = {"before_id": ids[2]}
        page = files.list(limit=1, betas=[BETA], extra_query=before)
        assert [one.id for one in page.data] == [ids[1]]

    sim.run(program)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("before_id=x", "before_id: Extra inputs are not permitted"),
        ("limit=0", "limit: Input should be between 1 and 1000"),
        ("page=x", "page: Invalid page cursor"),
        ("ids[]=x&limit=1", "ids: cannot be combined with page or limit"),
        ("&".join(f"ids[]={n}" for n in range(101)), "ids: List should have at most 100 items"),
    ],
)
def test_a_list_that_cannot_be_asked_for_is_refused(bench: Any, query: str, words: str) -> None:
    assert bench.own("GET", f"/v1/files?{query}")["error"]["message"] == words


# -- in messages ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file_id", "kind", "inline"),
    [
        ("text", "document", INLINE),
        ("png", "image", {"type": "url", "url": "https://x.example/a.png"}),
        ("pdf", "document", {"type": "url", "url": "https://x.example/a.pdf"}),
    ],
)
def test_a_file_counts_as_what_it_holds_does(
    there: Sim, file_id: str, kind: str, inline: Any
) -> None:
    def program() -> None:
        block = {"type": kind, "source": inline}
        whole = asking(block).usage.input_tokens
        assert asking(named(file_id, kind)).usage.input_tokens == whole
        counting: Any = client().messages.count_tokens
        for one in (block, named(file_id, kind)):
            result = {"type": "tool_result", "tool_use_id": "t", "content": [one]}
            said = [
                {"role": "assistant", "content": [{**TOOL_USE, "id": "t"}]},
                {"role": "user", "content": [result]},
            ]
            counted = counting(model="claude-sonnet-4-6", messages=said).input_tokens
            whole = counted if one is block else whole
            assert counted == whole

    there.run(program)


TOOL_USE = {"type": "tool_use", "name": "look", "input": {}}


def test_a_passage_of_a_file_is_cited_with_its_id(sim: Sim) -> None:
    sim.provider("anthropic", files=GIVEN)
    sim.agent("agent", model="*", reply=Reply("Green.", cites=("grass",)))
    message = sim.run(asking, named("text", citations={"enabled": True})).output
    (cited,) = message.content[0].citations
    assert (cited.type, cited.file_id) == ("char_location", "text")
    assert TEXT[cited.start_char_index : cited.end_char_index] == "grass"


@pytest.mark.parametrize(
    ("block", "status", "words"),
    [
        (named("none"), 404, "File `none` not found."),
        (named("none", "image"), 404, "File `none` not found."),
        ({"type": "container_upload", "file_id": "none"}, 404, "File `none` not found."),
        (
            {"type": "container_upload"},
            400,
            "messages.0.content.0.container_upload.file_id: Field required",
        ),
        (
            named("png"),
            400,
            "messages.0.content.0.document.source.file: Only PDF and plaintext documents are supported",
        ),
        (
            named("csv"),
            400,
            "messages.0.content.0.document.source.file: Only PDF and plaintext documents are supported",
        ),
        (
            named("pdf", "image"),
            400,
            "messages.0.content.0.image.source.file: Supported image formats are JPEG, PNG, GIF, and WebP",
        ),
    ],
)
def test_a_file_that_is_missing_or_does_not_fit_its_block_is_refused(
    there: Sim, block: Any, status: int, words: str
) -> None:
    assert there.run(lambda: refused(asking, block)).output[1:] == (status, words)


def test_a_pdf_is_for_models_that_read_it_also_as_a_file(there: Sim) -> None:
    there.run(lambda: asking(named("text"), model="claude-3-haiku-20240307"))
    told = there.run(lambda: refused(asking, named("pdf"), model="claude-3-haiku-20240307")).output
    assert told[1:] == (400, "'claude-3-haiku-20240307' does not support PDF input.")


def test_a_file_is_for_the_container_whatever_it_is(there: Sim) -> None:
    there.run(lambda: asking({"type": "container_upload", "file_id": "csv"}))


def test_a_missing_file_is_explained_beside_the_test(there: Sim) -> None:
    with pytest.raises(anthropic.NotFoundError):
        there.run(lambda: asking(named("file_of_production")))
    assert there.last_run is not None
    assert 'sim.provider("anthropic", files=' in there.last_run.timeline()


# -- written by tools -----------------------------------------------------------------------------------------------

CODE = {"type": "code_execution_20250825", "name": "code_execution"}


def test_what_code_has_written_is_downloaded(sim: Sim) -> None:
    wrote = {"stdout": "done", "files": [{"name": "sums.csv", "content": "a,b"}]}
    sim.agent("agent", model="*", reply=ServerTool("code_execution", code="1", results=wrote))

    def program() -> None:
        message = asking(tools=[CODE])
        (output,) = message.content[1].content.content
        file = client().files.retrieve_metadata(output.file_id)
        assert (file.filename, file.mime_type, file.downloadable) == ("sums.csv", "text/csv", True)
        assert client().files.download(file.id).read() == b"a,b"

    sim.run(program)


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ("a.png", ["a.png"]),
        ({"name": "b", "content": PNG}, ["b"]),
        (["a", {"name": "b"}], ["a", "b"]),
    ],
)
def test_files_of_code_are_one_or_many(sim: Sim, files: Any, names: list[str]) -> None:
    sim.agent("agent", reply=ServerTool("code_execution", code="1", results={"files": files}))

    def program() -> list[str]:
        asking(tools=[CODE])
        return [file.filename for file in client().files.list()][::-1]

    assert sim.run(program).output == names


@pytest.mark.parametrize("files", [1, [None], {"content": "a"}, [{"name": "a", "text": "b"}]])
def test_wrong_files_of_code_are_errors_of_the_test(files: Any) -> None:
    with pytest.raises(StubError, match="files of a server tool: expected a name"):
        ServerTool("code_execution", code="1", results={"files": files})


def test_what_a_client_has_uploaded_is_not_downloaded(there: Sim) -> None:
    told = there.run(lambda: refused(client().files.download, "text")).output
    assert told == ("FileNotDownloadableError", 400, "File is not downloadable")


# -- runs ---------------------------------------------------------------------------------------------------------------


def test_files_end_with_their_run_and_follow_from_the_seed(sim: Sim) -> None:
    def program() -> tuple[int, list[str]]:
        before = len(list(client().files.list()))
        return before, five_files()

    first, again, other = (sim.run(program, seed=seed).output for seed in (1, 1, 2))
    assert first == again
    assert first[0] == other[0] == 0
    assert first[1] != other[1]


def test_a_batch_reads_files_and_a_missing_one_fails_its_request_alone(there: Sim) -> None:
    def program() -> dict[str, str]:
        batches: Any = client().messages.batches
        said = [
            {
                "custom_id": file_id,
                "params": {
                    "model": "claude-sonnet-4-6",
                    "max_tokens": 10,
                    "messages": [{"role": "user", "content": [named(file_id)]}],
                },
            }
            for file_id in ("text", "none")
        ]
        batch = batches.create(requests=said)
        while batches.retrieve(batch.id).processing_status != "ended":
            time.sleep(60)
        return {one.custom_id: one.result.type for one in batches.results(batch.id)}

    assert there.run(program).output == {"text": "succeeded", "none": "errored"}


def test_stated_files_are_texts_or_bytes() -> None:
    sim = Sim()
    with pytest.raises(HarnessError, match=r"files: a\.str: must be a text \(got 1\)"):
        sim.provider("anthropic", files={"a": 1})
    with pytest.raises(HarnessError, match=r"no setting 'file'; did you mean 'files'"):
        sim.provider("anthropic", file={"a": "b"})
