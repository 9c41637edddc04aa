"""What the command says, in Vietnamese and in English. An event's key is also its name in ``--json``."""

from __future__ import annotations

import os
from collections.abc import Mapping


class CannotError(Exception):
    """What was asked cannot be done here, and which text says why."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key)
        self.key, self.facts = key, facts

    def __str__(self) -> str:
        return said("en", self.key, self.facts)


# fmt: off
TEXTS: dict[str, tuple[str, str]] = {
    # agency init
    "key-made": ("Đã tạo khóa {path}; không gửi tệp này cho ai.", "Made the key {path}; give it to nobody."),
    "request-made": (
        "Đã tạo yêu cầu cấp chứng thư {path}. Khi có chứng thư: agency {command} --certificate TỆP",
        "Made the certificate request {path}. When you have the certificate: agency {command} --certificate FILE"),
    "registered": ("Đã đăng ký chứng thư {fingerprint} cho {agency}. Gửi, nhận được ngay.",
                   "The certificate {fingerprint} is registered for {agency}. Ready to send and receive."),
    "plain-http": ("Cảnh báo: {hub} không mã hóa đường truyền; mã truy cập đi ra ở dạng đọc được.",
                   "Warning: {hub} is not encrypted; the access token travels readable."),
    "init-needs": ("Lần đầu, agency init cần {needs}.", "The first time, agency init needs {needs}."),
    "no-code": ("Không có mã một lần (mã {code} đã có chứng thư khác?). Nhờ đơn vị vận hành trục chạy "
                "`hub enrol {code} --replace --certificate {path}`, rồi chạy lại agency init với JSON mới.",
                "There is no one-time code (has {code} another certificate?). Have the hub's operator run "
                "`hub enrol {code} --replace --certificate {path}`, then repeat agency init with the new JSON."),
    "init-other": ("Thư mục {folder} đã là của cơ quan {code}; dùng --home khác, hoặc bỏ agency.toml.",
                   "The folder {folder} is the agency {code}'s already; name another --home, or remove agency.toml."),
    "init-done": ("Chứng thư của {code} đã đăng ký từ trước.", "The certificate of {code} is registered already."),
    "credentials-bad": ("Không đọc được {path}: cần JSON của `hub enrol --json` ({why}).",
                        "{path} cannot be read: it should be the JSON of `hub enrol --json` ({why})."),
    # agency renew
    "renewed": ("{code} ký bằng khóa mới từ nay; chứng thư {fingerprint} có hiệu lực đến {day}. Khóa và chứng thư cũ "
                "được giữ lại bên cạnh. Chạy lại `agency listen` hoặc `agency folders` đang chạy.",
                "{code} signs with the new key from now on; its certificate {fingerprint} counts until {day}. "
                "The old pair is kept beside it. Start an `agency listen` or `agency folders` that runs again."),
    "renew-early": ("Chứng thư của {code} chưa đăng ký: chạy agency init trước.",
                    "The certificate of {code} is not registered yet: run agency init first."),
    "renew-twice": ("Một lệnh agency renew khác đang dùng thư mục {folder}.",
                    "Another agency renew works on the folder {folder}."),
    "renew-ended": ("Trục không còn công nhận chứng thư hiện tại (hiệu lực đến {day}), nên nó không bảo đảm được cho "
                    "chứng thư mới; chưa có gì thay đổi. Nhờ đơn vị vận hành trục chạy "
                    "`hub enrol {code} --replace --json --certificate {path}`, rồi chạy `agency init --credentials` "
                    "với JSON nhận được và `agency renew` lần nữa.",
                    "The hub no longer counts the present certificate (valid until {day}), so it cannot vouch for the "
                    "new one; nothing was changed. Have the hub's operator run "
                    "`hub enrol {code} --replace --json --certificate {path}`, then run `agency init --credentials` "
                    "with the JSON and `agency renew` once more."),
    # the folder
    "no-agency": ("{folder} chưa có agency.toml: agency init tạo ra; hoặc chỉ --home đúng thư mục.",
                  "No agency.toml in {folder}: agency init makes it; or point --home to the right folder."),
    "settings-bad": ("Không dùng được {path}: {why}", "{path} cannot be used: {why}"),
    "key-missing": ("Thiếu {path}. agency init tạo khóa và chứng thư; khóa mất thì phải ghi danh lại.",
                    "{path} is missing. agency init makes key and certificate; a lost key means enrolling again."),
    "key-bad": ("Không dùng được {path}: {why}", "{path} cannot be used: {why}"),
    "file-bad": ("Không đọc được {path}: {why}", "{path} cannot be read: {why}"),
    "hub-away": ("Trục chưa trả lời; sẽ thử lại ({why})", "The hub does not answer yet; will try again ({why})"),
    # sending
    "needs": ("Thiếu: {needs}", "Missing: {needs}"),
    "one-target": ("Chỉ chọn một trong --update, --replace, --revoke.", "Only one of --update, --replace, --revoke."),
    "packet-alone": ("{path} là gói tin đã ký: gửi một mình, không kèm tùy chọn của văn bản.",
                     "{path} is a signed packet: send it alone, without a document's options."),
    "character": ("Nội dung có ký tự không đưa vào gói tin được: {why}",
                  "A value cannot be carried in a packet: {why}"),
    "sent": ("Đã gửi {number} đến {to}: mã trên trục {id}", "Sent {number} to {to}: id on the hub {id}"),
    "sent-before": ("Đã gửi {number} từ trước, không gửi lần hai: mã trên trục {id}",
                    "{number} was sent before, nothing is sent twice: id on the hub {id}"),
    "unanswered": ("Chưa có câu trả lời của trục. Gói tin còn ở {path}: `agency folders` sẽ gửi lại, "
                   "hoặc chạy lại đúng lệnh này; không sợ gửi trùng. ({why})",
                   "No answer from the hub yet. The packet stays in {path}: `agency folders` sends it again, "
                   "or repeat this very command; nothing is sent twice. ({why})"),
    "refused-to": ("Bị từ chối, xem lý do: {path}", "Refused, the reason is in {path}"),
    "folders-begin": ("Theo dõi {path}. Chép tệp vào trước, tệp .toml sau cùng.",
                      "Watching {path}. Copy the files first, the .toml last."),
    "order-file": ("Không có tệp {name} cạnh {order}. Chép đủ tệp trước, tệp .toml sau cùng.",
                   "There is no file {name} beside {order}. Copy all files first, the .toml last."),
    "order-toml": ("{order} không đọc được: {why}", "{order} cannot be read: {why}"),
    "order-field": ("{order}: không hiểu «{field}». Các mục: {known}",
                    "{order}: “{field}” is unknown. Fields: {known}"),
    "order-value": ("{order}: «{field}» phải là {wanted}", "{order}: “{field}” must be {wanted}"),
    # receiving
    "listen-begin": ("{code} đang chờ văn bản từ {hub}.", "{code} is waiting for documents from {hub}."),
    "certificate-ends": ("Chứng thư chỉ có hiệu lực đến {day}; sau ngày đó không gửi, không báo được gì. "
                         "Gia hạn trước: agency renew",
                         "The certificate counts only until {day}; after that nothing can be sent or reported. "
                         "Renew it before: agency renew"),
    "listen-end": ("Đã dừng.", "Ended."),
    "listen-twice": ("Một lệnh agency listen khác đang dùng thư mục {folder}.",
                     "Another agency listen works on the folder {folder}."),
    "received": ("Nhận {number} của {sender}: {path} ({standing})",
                 "Received {number} from {sender}: {path} ({standing})"),
    "status-received": ("{sender} báo {status} về {number}: {path}", "{sender} reports {status} on {number}: {path}"),
    "confirmed-again": ("Bản chuyển {delivery} đã lưu từ trước; chỉ xác nhận lại.",
                        "Delivery {delivery} was stored before; only confirmed again."),
    "unverified": ("KHÔNG nhận {number} của {sender}: {why}. Gói tin giữ ở {path}, nơi gửi được báo.",
                   "NOT taken: {number} from {sender}: {why}. The packet is kept in {path}, its sender is told."),
    "not-reported": ("Không báo được 01 về {number}: {why}", "01 on {number} could not be reported: {why}"),
    "passed-over": ("Bỏ qua bản chuyển {delivery}: {why}", "Delivery {delivery} is passed over: {why}"),
    "disk": ("Chưa lưu được nên chưa xác nhận: {why}", "Cannot store, so nothing is confirmed: {why}"),
    # report, take-back, sent, inbox, show, check
    "reported": ("Đã báo {status} về {number} cho {to}", "Reported {status} on {number} to {to}"),
    "asked-back": ("Đã xin lấy lại {number} từ {to}: {effect}", "Asked {to} to give {number} back: {effect}"),
    "nothing-to-take-back": ("{id}: mọi nơi nhận đều đã kết thúc, không còn gì để lấy lại.",
                             "{id}: it is final at every recipient, nothing can be taken back."),
    "status-unknown": ("Mã {status} không dùng ở đây: 01 02 03 04 05 06 15 16.",
                       "Status {status} is not used here: 01 02 03 04 05 06 15 16."),
    "not-found": ("Không tìm thấy {id} ở {where}.", "{id} is not found in {where}."),
    "nothing": ("Chưa có gì.", "Nothing yet."),
    "valid": ("Hợp lệ: {number}", "Valid: {number}"),
    "check-offline": ("Kiểm theo danh mục tải ngày {day}; trùng số và chứng thư bị thu hồi thì chỉ trục mới biết.",
                      "Checked with the directory fetched on {day}; only the hub knows of taken numbers."),
    # evidence, verify
    "evidence-written": ("Đã ghi chứng cứ của văn bản {id} ra {path}; kiểm: agency verify {path}",
                         "The evidence of the document {id} is in {path}; verify it: agency verify {path}"),
    "evidence-early": ("Chưa có đủ chứng cứ của văn bản {id}: {why}.",
                       "The evidence of the document {id} is not complete yet: {why}."),
    "evidence-not-had": ("Chưa ghi được chứng cứ của văn bản {id}: {why}.",
                         "The evidence of the document {id} could not be written: {why}."),
    "evidence-right": ("{path}: ĐÚNG, văn bản {id}; {warned} bước có điều cần người đọc xét.",
                       "{path}: HOLDS, document {id}; steps that leave something to the reader: {warned}."),
    "evidence-wrong": ("{path}: KHÔNG ĐÚNG. Không dùng làm chứng cứ; xin lại từ trục: agency evidence",
                       "{path}: DOES NOT HOLD. It is no evidence; ask the hub for it again: agency evidence"),
    "keys-bad": ("Không đọc được khóa ở --keys: {why}. Cần tệp của trục: /.well-known/jwks.json, /log/keys, "
                 "hoặc chứng thư gốc PEM.",
                 "--keys cannot be read: {why}. It takes the hub's /.well-known/jwks.json or /log/keys as files, "
                 "or roots in PEM."),
    "tsa-bad": ("{path} không dùng được cho --tsa: cần chứng thư gốc PEM.",
                "{path} cannot be used for --tsa: it takes roots in PEM."),
    "no-directory": ("Chưa có danh mục cơ quan: agency init hoặc `agency check --refresh` tải về.",
                     "There is no directory of agencies: agency init or `agency check --refresh` fetches it."),
}
# fmt: on


def language(environment: Mapping[str, str] = os.environ) -> str:
    """``vi`` or ``en``, by the locale of messages (POSIX: LC_ALL, LC_MESSAGES, LANG)."""
    locale = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environment.get(name))), "")
    return "vi" if locale.lower().startswith("vi") else "en"


def either(vi: str, en: str) -> str:
    """The text of the help, by the locale."""
    return vi if language() == "vi" else en


def said(lang: str, key: str, facts: Mapping[str, object]) -> str:
    """A text with its facts."""
    vi, en = TEXTS[key]
    return (vi if lang == "vi" else en).format_map(facts)
