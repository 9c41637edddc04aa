"""The command's words: its help and its options, in the language of the locale."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from clients.agency.texts import either


def _option(vi: str, en: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=either(vi, en), **more)


def _help(vi: str, en: str, *examples: str, text: str = "") -> str:
    return "\n\n".join([either(vi, en), *([text] if text else []), *(f"[dim]{each}[/dim]" for each in examples)])


_ID = "Mã bản chuyển, mã trên trục hoặc DocumentId", "A delivery's id, the hub's id of a document, or a DocumentId"

# fmt: off
HomeDir = Annotated[Path, _option("Thư mục của cơ quan", "The agency's folder", "--home", envvar="AGENCY_HOME")]
AsJson = Annotated[bool, _option("Mỗi sự kiện một dòng JSON", "A JSON line for each event", "--json")]
Lang = Annotated[str, typer.Option("--lang", help="vi, en [LC_ALL, LC_MESSAGES, LANG]")]

Hub = Annotated[str, _option("Địa chỉ của trục", "The hub's address")]
Code = Annotated[str, _option("Mã định danh cơ quan", "The agency's code")]
Name = Annotated[str, _option("Tên cơ quan (theo danh mục của trục)", "The agency's name (from the hub's directory)")]
Credentials = Annotated[Path | None, _option("JSON của `hub enrol --json`; - là đầu vào chuẩn",
                                             "JSON of `hub enrol --json`; - is standard input")]
SystemId = Annotated[str, _option("Mã hệ thống, đi với --token-stdin", "The system's id, with --token-stdin")]
TokenStdin = Annotated[bool, _option("Đọc từ đầu vào chuẩn: mã truy cập, dòng sau là mã một lần",
                                     "Read from standard input: the token, on the next line the one-time code",
                                     "--token-stdin")]
Csr = Annotated[bool, _option("Chỉ tạo yêu cầu cấp chứng thư", "Only make a certificate request", "--csr")]
Certificate = Annotated[Path | None, _option("Chứng thư được cấp cho khóa ở đây (PEM)",
                                             "The certificate issued for the key here (PEM)")]

Files = Annotated[list[Path] | None, typer.Argument(metavar="FILE…", help=either(
    "Tệp đính kèm, hoặc một gói .edxml", "Attachments, or one .edxml packet"))]
To = Annotated[list[str] | None, _option("Mã nơi nhận; lặp lại, hoặc cách nhau bằng dấu phẩy",
                                         "Recipient's code; repeat it, or separate several by commas")]
Number = Annotated[str, _option("Số", "Number")]
Notation = Annotated[str, _option("Ký hiệu", "Symbol")]
Subject = Annotated[str, _option("Trích yếu", "Subject")]
Type = Annotated[str, _option("Tên loại (Công văn)", "Type (Công văn)", "--type")]
Date = Annotated[str, _option("Ngày ban hành yyyy/MM/dd (hôm nay)", "Promulgated on yyyy/MM/dd (today)")]
Signer = Annotated[str, _option("Người ký", "Who signed it")]
Position = Annotated[str, _option("Chức vụ người ký", "The signer's position")]
Content = Annotated[str, _option("Tóm tắt", "Summary")]
Due = Annotated[str, _option("Hạn trả lời yyyy/MM/dd", "Due date yyyy/MM/dd")]
Priority = Annotated[str, _option("Độ khẩn 0–3", "Urgency 0–3")]
Sender = Annotated[str, _option("Gửi thay đơn vị cấp dưới này", "Send for this agency below")]
DocumentId = Annotated[str, typer.Option(help="DocumentId (CODE,DATE,NUMBER/NOTATION)")]
Update = Annotated[str, _option("Cập nhật văn bản này", "Updates this document", metavar="ID")]
Replace = Annotated[str, _option("Thay thế văn bản này", "Replaces this document", metavar="ID")]
Revoke = Annotated[str, _option("Thu hồi văn bản này", "Revokes this document", metavar="ID")]
Reason = Annotated[str, _option("Lý do, nội dung", "Reason or remark")]

File = Annotated[Path, typer.Argument(metavar="FILE")]
Refresh = Annotated[bool, _option("Tải lại danh mục trước", "Fetch the directory anew first", "--refresh")]
WithOutbox = Annotated[bool, _option("Gửi cả những gì đặt vào outbox/", "Also send what is in outbox/", "--outbox")]
Once = Annotated[bool, _option("Làm hết những gì đang có rồi thôi", "Do what there is now, and end", "--once")]
Key = Annotated[str, typer.Argument(metavar="ID", help=either(*_ID))]
KeyOrFile = Annotated[str, typer.Argument(metavar="ID|FILE", help=either(*_ID))]
IntoFile = Annotated[Path | None, _option("Tệp để ghi (evidence-ID.zip)", "File to write (evidence-ID.zip)", "--to")]
KeyFiles = Annotated[list[Path] | None, _option(
    "Khóa được tin: /.well-known/jwks.json hoặc /log/keys của trục, chứng thư gốc PEM; lặp lại được",
    "Keys that are trusted: the hub's /.well-known/jwks.json or /log/keys, roots in PEM; may be repeated", "--keys")]
TsaFiles = Annotated[list[Path] | None, _option(
    "Chứng thư gốc PEM của nơi cấp dấu thời gian được tin; lặp lại được",
    "Roots in PEM of timestamping authorities that are trusted; may be repeated", "--tsa")]
Status = Annotated[str, typer.Argument(metavar="STATUS")]
Limit = Annotated[int, typer.Option(min=1)]
Offline = Annotated[bool, _option("Không hỏi trục", "Do not ask the hub", "--offline")]

AGENCY = either("Gửi, nhận văn bản điện tử đã ký số của một cơ quan; mỗi thư mục là một cơ quan.",
                "Send and receive an agency's signed documents; a folder is an agency.")
INIT = _help("Tạo khóa, chứng thư, cấu hình; đăng ký chứng thư bằng mã một lần. Lặp lại được.",
             "Make key, certificate and settings; register the certificate with the one-time code. Safe to repeat.",
             "hub enrol H41 --json > h41.json",
             "agency init --hub http://127.0.0.1:8000 --code H41 --credentials h41.json",
             "agency init … --csr    agency init --certificate issued.pem")
RENEW = _help("Thay khóa và chứng thư trước khi hết hạn: đăng ký cái mới bằng cái cũ rồi mới đổi. Lặp lại được.",
              "New key and certificate before the old ones end: registered by them, then switched. Safe to repeat.",
              "agency renew    agency renew --home h41 --json",
              "agency renew --csr    agency renew --certificate issued.pem")
SEND = _help("Ký và gửi văn bản, hoặc gửi một gói tin có sẵn; lặp lại lệnh không gửi hai lần.",
             "Sign and send a document, or send a packet; repeating the command sends nothing twice.",
             'agency send 15.pdf phu-luc.xlsx --to H41,H36 --number 15 --notation VPCP-TH --subject "Về việc …"',
             'agency send 16.pdf --to H41 --number 16 --notation VP --subject "…" --replace 68dc8b209ec5cae0da8101d6',
             "agency send packet.edxml")
CHECK = _help("Kiểm gói tin .edxml, hoặc đơn gửi .toml, bằng đúng quy tắc của trục mà không cần kết nối.",
              "Check a packet (.edxml) or an order (.toml) by the hub's rules, offline.",
              "agency check packet.edxml    agency check outbox/15.toml    agency check --refresh packet.edxml")
LISTEN = _help("Chờ, nhận, kiểm chữ ký, lưu rồi mới xác nhận; chạy đến khi được dừng.",
               "Wait, fetch, verify, store and only then confirm; runs until it is ended.",
               "agency listen    agency listen --outbox    agency listen --once --json")
FOLDERS = _help("Gửi những gì đặt vào outbox/: tệp trước, tệp .toml sau cùng.",
                "Send what is dropped in outbox/: the files first, their .toml last.",
                "cp 15.pdf outbox/ && cp 15.toml outbox/    agency folders    agency folders --once")
REPORT = _help("Báo trạng thái xử lý, hoặc trả lời yêu cầu, về văn bản đã nhận.",
               "Report on a received document, or answer a request about it.",
               'agency report "G22,2025/10/01,15/VPCP-TH" 03',
               'agency report 68dc8b209ec5cae0da8101d6 16 --reason "Đã xử lý xong"', text=either(
    "01 đã đến, 03 tiếp nhận, 04 phân công, 05 đang xử lý, 06 hoàn thành, 02 từ chối (cần --reason); "
    "15 đồng ý, 16 không đồng ý cho lấy lại, thu hồi, thay thế, cập nhật",
    "01 arrived, 03 accepted, 04 assigned, 05 processing, 06 finished, 02 refused (needs --reason); "
    "15 agreed, 16 not agreed to a take-back, revocation, replacement, update"))
TAKE_BACK = _help("Xin lấy lại văn bản đã gửi; nơi chưa lấy thì rút được ngay.",
                  "Ask for a sent document back; where nobody fetched it, it is withdrawn at once.",
                  'agency take-back 68dc8b209ec5cae0da8101d6 --to H41 --reason "Gửi nhầm"')
SENT = _help("Những gì đã gửi, và tình trạng ở từng nơi nhận.", "What was sent, and where it stands at each recipient.",
             "agency sent    agency sent --offline --limit 100")
INBOX = _help("Những gì đã nhận, mới nhất trước.", "What was received, the latest first.",
              "agency inbox    agency inbox --limit 100 --json")
SHOW = _help("Mọi điều biết về một văn bản đã gửi, đã nhận, hoặc một tệp gói tin.",
             "All that is known of a document sent or received, or of a packet in a file.",
             "agency show 68dc8b209ec5cae0da8101d6    agency show packet.edxml")
EVIDENCE = _help("Xin chứng cứ của một văn bản ra một tệp: gói tin, biên nhận, chứng minh có trong sổ.",
                 "Write the evidence of a document to one file: packet, receipts, proofs that the log has them.",
                 "agency evidence 68dc8b209ec5cae0da8101d6",
                 'agency evidence "G22,2025/10/01,15/VPCP-TH" --to 15.zip')
VERIFY = _help("Kiểm tệp chứng cứ, không cần mạng, không cần trục; in từng bước, mã thoát 0 hoặc 1.",
               "Verify an evidence file without network and without the hub; tells every step, exit code 0 or 1.",
               "agency verify 15.zip    agency verify 15.zip --keys jwks.json --keys log-keys.txt",
               "agency verify 15.zip --json")
# fmt: on
