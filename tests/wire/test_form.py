"""Forms with files: every byte of a file is kept, whatever it is said to be."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.wire.form import Field, fields_of
from harness.wire.http import HttpRequest


def sent(body: bytes, kind: str) -> HttpRequest:
    return HttpRequest("POST", "api.example", "/v1/files", "", {"content-type": kind}, body)


def by_httpx(**form: object) -> dict[str, Field] | None:
    request = httpx.Request("POST", "https://api.example/v1/files", **form)  # type: ignore[arg-type]
    return fields_of(sent(request.read(), request.headers["content-type"]))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n",
        b"one\rtwo\nthree\r\n",
        b"Subject: a\r\n\r\nbody\r\n",
        b"--x",
        bytes(range(256)),
        "später".encode(),
    ],
)
@pytest.mark.parametrize(
    "said", ["text/plain", "application/octet-stream", "message/rfc822", "multipart/mixed"]
)
def test_a_file_arrives_as_it_was_sent(content: bytes, said: str) -> None:
    fields = by_httpx(files={"file": ("é.txt", content, said)}, data={"purpose": "batch"})
    assert fields == {
        "purpose": Field("", "", b"batch"),
        "file": Field("é.txt", said, content),
    }


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ('name="file"; filename="a b.txt"', "a b.txt"),
        ("name=file; filename=a.txt", "a.txt"),
        ('NAME="file";filename="C:\\docs\\a.txt"', "C:\\docs\\a.txt"),
        ('name="file"; filename="a\\"b;c=d.txt"', 'a"b;c=d.txt'),
        ('name="file"; filename="x"; filename*=utf-8\'\'%C3%A9.txt', "é.txt"),
        ("name=\"file\"; filename*=''", ""),
        ('name="file"; filename*=x\x00utf-8', ""),
        ('name="file"', ""),
    ],
)
def test_names_of_files_are_read_in_every_form(said: str, name: str) -> None:
    head = f"--x\r\nContent-Disposition: form-data; {said}\r\n\r\n"
    fields = fields_of(sent(head.encode() + b"1\r\n--x--", "Multipart/Form-Data; Boundary=x"))
    assert fields == {"file": Field(name, "", b"1")}


def test_what_is_behind_the_end_of_a_form_is_no_part_of_it() -> None:
    one = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    fields = fields_of(sent(one + b"--x--\r\n" + one, 'multipart/form-data; boundary="x"'))
    assert fields == {"a": Field("", "", b"1")}


@given(
    kind=st.text(st.characters(max_codepoint=255), max_size=20),
    head=st.text(st.sampled_from("name=file;'*\"\\ \x00é%"), max_size=30),
)
def test_any_headers_are_read(kind: str, head: str) -> None:
    body = (
        f"--x\r\nContent-Disposition: form-data; {head}\r\nContent-Type: {head}\r\n\r\n1\r\n--x--"
    )
    fields_of(sent(body.encode(), f"multipart/form-data; {kind}; boundary=x"))
    fields_of(sent(body.encode(), kind))


@pytest.mark.parametrize(
    "kind", ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=x"]
)
def test_a_request_of_another_type_has_no_form(kind: str) -> None:
    assert fields_of(sent(b"--x--", kind)) is None


@pytest.mark.parametrize("body", [b"", b"--x", b"--x\r\n\r\n--x--", b"nothing"])
def test_a_broken_form_has_no_fields(body: bytes) -> None:
    assert fields_of(sent(body, "multipart/form-data; boundary=x")) == {}
