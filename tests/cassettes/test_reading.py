"""Cassettes of other recorders load, and bad ones give one clear error each; nothing in them is executed."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from pathlib import Path

import pytest

from harness import wall
from harness.cassettes import CassetteError, bodies, load_cassette
from harness.cassettes.cassette import Chunk

WHOLE = """
interactions:
- request: {method: POST, uri: 'https://x.test/v1/messages', body: '{"a": 1}', headers: {Accept: ['*/*']}}
  response: {status: {code: 200, message: OK}, headers: {Server-Timing: ['app;dur=812.5']}, body: {string: hello}}
version: 1
"""


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "x.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def response(tmp_path: Path, text: str) -> bytes:
    return load_cassette(written(tmp_path, text)).interactions[0].response.body


def with_response(response: str) -> str:
    return f"version: 1\ninteractions:\n- request: {{method: GET, uri: 'https://x.test/'}}\n  response: {response}\n"


def packed(window: int) -> bytes:
    squeeze = zlib.compressobj(wbits=window)
    return squeeze.compress(b'{"said": "hello"}') + squeeze.flush()


PACKED = {"gzip": packed(31), "deflate": packed(15), "raw deflate": packed(-15)}


@pytest.mark.parametrize("encoding", PACKED)
def test_compressed_bodies_are_decoded(encoding: str, tmp_path: Path) -> None:
    data = base64.b64encode(PACKED[encoding]).decode()
    name = encoding.rpartition(" ")[2]
    text = with_response(
        f"{{status: {{code: 200}}, headers: {{Content-Encoding: [{name}], Content-Length: ['9']}}, body: {{string: !!binary '{data}'}}}}"
    )
    (one,) = load_cassette(written(tmp_path, text)).interactions
    assert one.response.body == b'{"said": "hello"}'
    assert one.response.headers == ()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{string: hello}", b"hello"),
        ("{string: !!binary aGVsbG8=}", b"hello"),
        ("{base64_string: aGVsbG8=}", b"hello"),
        ("{string: ''}", b""),
        ("{string: null}", b""),
        ("{string: 12}", b"12"),
        ("hello", b"hello"),
        ("null", b""),
    ],
)
def test_bodies_of_every_kind_load(body: str, said: bytes, tmp_path: Path) -> None:
    assert response(tmp_path, with_response(f"{{status: {{code: 200}}, body: {body}}}")) == said


def test_early_recordings_of_httpx_and_parsed_bodies_load(tmp_path: Path) -> None:
    early = "{status_code: 200, http_version: HTTP/1.1, headers: {a: [b]}, content: hello}"
    assert response(tmp_path, with_response(early)) == b"hello"
    parsed = "{status: {code: 200}, headers: {}, parsed_body: {n: 1, x: 1.5, s: '1', none: null, yes: true, l: [a]}}"
    said = json.loads(response(tmp_path, with_response(parsed)))
    assert said == {"n": 1, "x": 1.5, "s": "1", "none": None, "yes": True, "l": ["a"]}


def test_json_anchors_and_tags_of_vcrpy_load(tmp_path: Path) -> None:
    entry = {
        "request": {"method": "POST", "uri": "https://x.test/", "body": None, "headers": {}},
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {},
            "body": {"string": "hello"},
        },
    }
    assert response(tmp_path, json.dumps({"version": 1, "interactions": [entry]})) == b"hello"
    shared = with_response(
        "{status: &s {code: 200}, headers: {a: &v [b], c: *v}, body: {string: hello}}"
    )
    assert load_cassette(written(tmp_path, shared)).interactions[0].response.headers == (
        ("a", "b"),
        ("c", "b"),
    )
    held = "!!python/object/new:_io.BytesIO {state: !!python/tuple [!!binary aGVsbG8=, 0, null]}"
    request = f"version: 1\ninteractions:\n- request: {{method: POST, uri: 'https://x.test/', body: {held}}}\n  response: {{status: {{code: 200}}, body: {{string: a}}}}"
    assert load_cassette(written(tmp_path, request)).interactions[0].request.body == b"hello"


@pytest.mark.parametrize(
    ("headers", "source", "seconds"),
    [
        (
            "{openai-processing-ms: ['812'], x-envoy-upstream-service-time: ['900']}",
            "openai-processing-ms",
            0.812,
        ),
        ("{X-Envoy-Upstream-Service-Time: ['900']}", "x-envoy-upstream-service-time", 0.9),
        ("{server-timing: ['cdn;desc=x, app;dur=12.5']}", "server-timing", 0.0125),
        ("{openai-processing-ms: [XXX]}", "profile", None),
        ("{}", "profile", None),
    ],
)
def test_time_is_taken_from_the_headers_of_the_server(
    headers: str, source: str, seconds: float | None, tmp_path: Path
) -> None:
    text = with_response(f"{{status: {{code: 200}}, headers: {headers}, body: {{string: a}}}}")
    (one,) = load_cassette(written(tmp_path, text)).interactions
    assert one.latency_source == source
    stated = one.response.stated_s
    assert (None if stated is None else stated[1]) == seconds


def test_recorded_times_load(tmp_path: Path) -> None:
    timing = "{v: 1, start: 1.5, headers: 0.25, chunks: [[0.25, 2], [0.5, 3]], end: 0.75, complete: true}"
    text = with_response(
        f"{{status: {{code: 200}}, body: {{string: hello}}, timing: {timing}, agent: critic, call: 2}}"
    )
    (one,) = load_cassette(written(tmp_path, text)).interactions
    assert one.response.timing is not None
    assert one.response.timing.chunks == (Chunk(0.25, 2), Chunk(0.5, 3))
    assert one.response.pieces == ((0.25, b"he"), (0.5, b"llo"))
    assert (one.agent, one.call, one.latency_source) == ("critic", 2, "timing")


BAD: dict[str, tuple[str | bytes, str]] = {
    "cut off in a text": (WHOLE[:120], "cut off"),
    "cut off before the response": (WHOLE.partition("  response")[0] + "version: 1", "no `response`; the recording was cut off"),
    "no version": (WHOLE.replace("version: 1", ""), "has no version"),
    "another version": (WHOLE.replace("version: 1", "version: 2"), "version '2'; version 1 is read"),
    "not YAML": ("a: [1, 2\nb: }", "not valid YAML"),
    "empty": ("", "the file is empty"),
    "a text": ("hello", "this is no cassette"),
    "another file": ("scenario: x\nseed: 1", "this is no cassette"),
    "a list": ("- request: 1", "this is no cassette"),
    "interactions of another kind": ("version: 1\ninteractions: {a: 1}", "this is no cassette"),
    "no text": (b"\xff\xfe\x00\x01", "is no text"),
    "no body": (with_response("{status: {code: 200}, headers: {}}"), "its response has no body"),
    "a body without a text": (with_response("{status: {code: 200}, body: {}}"), "has no `string`"),
    "a body of another kind": (with_response("{status: {code: 200}, body: {string: {a: b}}}"), "is no text"),
    "no status": (with_response("{body: {string: a}}"), "no status"),
    "a wrong status": (with_response("{status: {code: many}, body: {string: a}}"), "the status is 'many'"),
    "an entry that is a text": ("version: 1\ninteractions: [hello]", "interaction 1: it is no mapping"),
    "no url": ("version: 1\ninteractions: [{request: {method: GET}, response: {}}]", "lacks `method` or `uri`"),
    "wrong headers": (with_response("{status: {code: 200}, headers: hello, body: {string: a}}"), "are no mapping"),
    "broken gzip": (with_response("{status: {code: 200}, headers: {content-encoding: [gzip]}, body: {string: !!binary H4sIAAAA}}"), "gzip that was cut off"),
    "no gzip": (with_response("{status: {code: 200}, headers: {content-encoding: [gzip]}, body: {string: !!binary H4sHAAAAAAAAAAAA}}"), "not gzip"),
    "broken base64": (with_response("{status: {code: 200}, body: {string: !!binary '***x'}}"), "not base64"),
    "times that go backwards": (with_response("{status: {code: 200}, body: {string: a}, timing: {headers: 2, end: 1}}"), "goes backwards"),
    "times that are none": (with_response("{status: {code: 200}, body: {string: a}, timing: {headers: soon, end: 1}}"), "`timing` is wrong"),
    "infinite times": (with_response("{status: {code: 200}, body: {string: a}, timing: {headers: 0, end: .inf}}"), "`timing` is wrong"),
    "a key that is a list": ("? [a]\n: b\nversion: 1", "a key is no text"),
    "deep nesting": ("[" * 100_000, "nested more than 100 deep"),
    "deep block nesting": ("- " * 20_000 + "a", "nested more than 100 deep"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_gives_one_clear_error(kind: str, tmp_path: Path) -> None:
    text, said = BAD[kind]
    path = written(tmp_path, text)
    began_s = wall.elapsed_s()
    with pytest.raises(CassetteError) as caught:
        load_cassette(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert wall.elapsed_s() - began_s < 5


HOSTILE = (
    "!!python/object/apply:os.system ['touch HARMED']",
    "!!python/object/new:os.system ['touch HARMED']",
    "!!python/object/apply:subprocess.Popen [[touch, HARMED]]",
    "!!python/name:os.system ''",
    "!!python/module:os ''",
    "!!python/object:harness.errors.HarnessError {}",
    "!<tag:yaml.org,2002:python/object/apply:os.system> ['touch HARMED']",
    "!unheard {a: b}",
    "!!set {a, b}",
)


@pytest.mark.parametrize("tag", HOSTILE)
@pytest.mark.parametrize("where", ["{string: TAG}", "TAG"])
def test_tags_are_not_executed(
    tag: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(
        tmp_path, with_response(f"{{status: {{code: 200}}, body: {where.replace('TAG', tag)}}}")
    )
    with pytest.raises(CassetteError, match="asks for an object"):
        load_cassette(path)
    assert not (tmp_path / "HARMED").exists()


def test_an_alias_bomb_takes_no_time_and_memory(tmp_path: Path) -> None:
    levels = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40))
    path = written(
        tmp_path,
        f"a0: &a0 [lol]\n{levels}\nversion: 1\ninteractions: [{{request: *a39, response: *a39}}]",
    )
    with pytest.raises(CassetteError, match="is no mapping"):
        load_cassette(path)
    text = with_response("{status: {code: 200}, body: &b {string: &s [*s, *b]}}")
    with pytest.raises(CassetteError):
        load_cassette(written(tmp_path, text))


def test_a_compression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_BODY_BYTES", 1000)
    bomb = base64.b64encode(gzip.compress(b"a" * 5000)).decode()
    text = with_response(
        f"{{status: {{code: 200}}, headers: {{content-encoding: [gzip]}}, body: {{string: !!binary {bomb}}}}}"
    )
    with pytest.raises(CassetteError, match="has more than"):
        load_cassette(written(tmp_path, text))


def test_a_huge_file_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(10 * 2**30)
    with pytest.raises(CassetteError, match="10240 MiB, and at most 64 are read"):
        load_cassette(path)


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="No such file"):
        load_cassette(tmp_path / "none.yaml")
    with pytest.raises(CassetteError, match="directory"):
        load_cassette(tmp_path)
