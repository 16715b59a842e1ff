"""What a job is as a call of the Bot API, parameter by parameter, and what answers at the edges mean."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from consumers.telegram.calls import (
    BadPhotoError,
    Blocked,
    Call,
    Done,
    Failed,
    NoTopic,
    TooMany,
    Unparsable,
    Unreachable,
    is_formatted,
    make_call,
    read_answer,
    without_marks,
)
from consumers.telegram.texts import LONGEST, digest, without_formatting
from contracts.services.telegram.jobs import TelegramJob
from contracts.services.telegram.operations import (
    BanMember,
    Button,
    EditPhoto,
    PromoteMember,
    SendMessage,
    SendPhoto,
)

PICTURE = base64.b64encode(b"\x89PNG").decode()


def call(operation: Any, *, plain: bool = False, **fields: Any) -> Call:
    return make_call(TelegramJob(id="x", chat_id=7, operation=operation, **fields), plain=plain)


def test_a_message_has_its_topic_its_answer_its_silence_and_its_preview() -> None:
    whole = SendMessage(text="<b>a</b>", parse_mode="HTML", reply_to=5, silent=True, preview=True)
    assert call(whole, thread_id=3) == Call(
        "sendMessage",
        {
            "chat_id": 7,
            "text": "<b>a</b>",
            "parse_mode": "HTML",
            "message_thread_id": 3,
            "reply_parameters": {"message_id": 5, "allow_sending_without_reply": True},
            "disable_notification": True,
        },
    )
    shortest = {"chat_id": 7, "text": "a", "link_preview_options": {"is_disabled": True}}
    assert call(SendMessage(text="a")) == Call("sendMessage", shortest)


def test_buttons_are_rows_of_links_and_of_what_comes_back() -> None:
    rows = [[Button(text="go", url="https://a.example"), Button(text="why", data="y|1")], [Button(text="plain")]]
    params = call(SendMessage(text="a", buttons=rows)).params
    assert set(params) == {"chat_id", "text", "link_preview_options", "reply_markup"}
    assert params["reply_markup"] == {
        "inline_keyboard": [
            [{"text": "go", "url": "https://a.example"}, {"text": "why", "callback_data": "y|1"}],
            [{"text": "plain", "callback_data": "plain"}],
        ]
    }


def test_a_picture_is_uploaded_and_one_that_telegram_has_is_named() -> None:
    sent = call(SendPhoto(photo=PICTURE, caption="c"))
    assert (sent.method, sent.files) == ("sendPhoto", {"photo": b"\x89PNG"})
    assert sent.params == {"chat_id": 7, "caption": "c", "photo": "attach://photo"}
    known = call(SendPhoto(photo="AgAC", is_file_id=True, silent=True), thread_id=2)
    assert known == Call(
        "sendPhoto", {"chat_id": 7, "message_thread_id": 2, "disable_notification": True, "photo": "AgAC"}
    )
    with pytest.raises(BadPhotoError, match="the picture is no base64"):
        call(SendPhoto(photo="no base64!"))


def test_an_edited_picture_has_its_caption_within_the_media() -> None:
    edited = call(EditPhoto(message_id=9, photo=PICTURE, caption="<i>c</i>", parse_mode="HTML"), thread_id=2)
    assert (edited.method, edited.files) == ("editMessageMedia", {"photo": b"\x89PNG"})
    media = {"type": "photo", "media": "attach://photo", "caption": "<i>c</i>", "parse_mode": "HTML"}
    assert edited.params == {"chat_id": 7, "message_id": 9, "media": media}
    plain = call(EditPhoto(message_id=9, photo=PICTURE, caption="<i>c</i>", parse_mode="HTML"), plain=True)
    assert plain.params["media"] == {"type": "photo", "media": "attach://photo", "caption": "c"}
    bare = call(EditPhoto(message_id=9, photo="AgAC", is_file_id=True)).params
    assert bare["media"] == {"type": "photo", "media": "AgAC"}


def test_an_act_has_its_own_parameters_and_rights_stand_beside_them() -> None:
    assert call(BanMember(user_id=5)).params["user_id"] == 5
    promoted = call(PromoteMember(user_id=5, rights={"can_pin_messages": True})).params
    assert (promoted["can_pin_messages"], "rights" in promoted) == (True, False)


def test_marks_are_left_out_of_text_and_caption_only_where_there_are_some() -> None:
    assert without_marks({"text": "<b>", "x": 1}) == {"text": "<b>", "x": 1}
    marked = {"parse_mode": "HTML", "text": "<b>a</b>", "caption": "<i>c</i>", "other": "<u>"}
    assert without_marks(marked) == {"text": "a", "caption": "c", "other": "<u>"}


def test_only_messages_with_a_mode_are_formatted() -> None:
    operations = (SendMessage(text="a", parse_mode="HTML"), SendMessage(text="a"), BanMember(user_id=1))
    found = [is_formatted(TelegramJob(id="x", chat_id=1, operation=one)) for one in operations]
    assert found == [True, False, False]


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("Forbidden: user is deactivated", Blocked("Forbidden: user is deactivated")),
        ("Forbidden: bot is not a member of the channel chat", Blocked),
        ("Forbidden: bot can't initiate conversation with a user", Blocked),
        ("Forbidden: something else", Failed(403, "Forbidden: something else")),
    ],
)
def test_a_chat_that_does_not_take_messages_is_blocked(words: str, outcome: Any) -> None:
    found = read_answer(403, {"ok": False, "description": words})
    assert isinstance(found, outcome) if isinstance(outcome, type) else found == outcome


@pytest.mark.parametrize(
    "words",
    ["Bad Request: message to delete not found", "Bad Request: HIDE_REQUESTER_MISSING", "MESSAGE IS NOT MODIFIED"],
)
def test_what_was_done_before_is_done(words: str) -> None:
    assert read_answer(400, {"description": words}) == Done(None)


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"ok": True, "result": {}}, Done(None)),
        (200, {"ok": True}, Done(None)),
        (200, {"ok": "true", "error_code": 400}, Failed(400, "HTTP 200")),
        (429, {}, TooMany(1.0)),
        (403, {"description": "was blocked by the user"[:-1]}, Failed(403, "was blocked by the use")),
        (400, {"description": "blocked by the user"}, Failed(400, "blocked by the user")),
        (404, {"description": "Not Found"}, Unreachable("Not Found", token=True)),
        (
            400,
            {"description": "Bad Request: can't parse caption: x"},
            Unparsable("Bad Request: can't parse caption: x"),
        ),
        (400, {"description": "MESSAGE THREAD NOT FOUND"}, NoTopic()),
        (399, {"description": "x"}, Unreachable("x", answered=True)),
        (400, {"description": "x", "parameters": None}, Failed(400, "x")),
        (499, {"description": "x"}, Failed(499, "x")),
        (500, {"description": "x"}, Unreachable("x", answered=True)),
        (400, {"description": "y" * 900}, Failed(400, "y" * 500)),
    ],
)
def test_what_answers_at_the_edges_mean(status: int, body: dict[str, Any], outcome: object) -> None:
    assert read_answer(status, {"ok": False, **body}) == outcome


def test_away_is_the_token_or_a_failure_that_it_says() -> None:
    found = [read_answer(status, {"ok": False}) for status in (401, 500)]
    assert [(one.token, one.answered) for one in found if isinstance(one, Unreachable)] == [
        (True, False),
        (False, True),
    ]


# ---- texts
@pytest.mark.parametrize(
    ("text", "mode", "plain"),
    [
        ("1 < 2 <b>x</b>", "HTML", "1 < 2 x"),
        ("**", "MarkdownV2", "**"),
        (r"\_a\_ ||b|| ~c~ `d`", "MarkdownV2", "_a_ b c d"),
    ],
)
def test_what_is_no_mark_stays(text: str, mode: str, plain: str) -> None:
    assert without_formatting(text, mode) == plain


def test_a_digest_has_as_many_lines_as_have_room_the_newest_ones_in_their_order() -> None:
    assert LONGEST == 4000
    assert digest(["a", "b"]) == "2 alerts:\n\u2022 a\n\u2022 b"
    line = "c" * 97  # with its mark and its end 100 characters, of 3900
    assert digest([line] * 39).count("\n") == 39
    assert digest([line] * 40).split("\n")[:2] == ["40 alerts:", "\u2026 and 1 before them"]
    assert digest(["x", "d" * 3897]) == "2 alerts:\n\u2026 and 1 before them\n\u2022 " + "d" * 3897
    assert digest(["e" * 3898]) == "1 alerts:\n\u2026 and 1 before them"
    assert digest(["short", "e" * 3898]) == "2 alerts:\n\u2026 and 2 before them"  # none older than what has no room
