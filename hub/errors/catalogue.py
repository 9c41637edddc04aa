"""Every code the hub can answer with, in one place: what it means, and how it is repaired."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One line of the catalogue. ``vi``, ``en`` and ``repair`` are templates over the refusal's facts."""

    code: str
    status: int
    vi: str
    en: str
    repair: str = ""
    temporary: bool = False


PROBLEMS: dict[str, Problem] = {}


def _add(code: str, status: int, vi: str, en: str, repair: str = "", *, temporary: bool = False) -> None:
    if code in PROBLEMS:
        raise RuntimeError(f"the catalogue has {code} twice")
    PROBLEMS[code] = Problem(code, status, vi, en, repair, temporary)


# fmt: off
# The request itself.
_add("not-authenticated", 401, "Thiếu hoặc sai mã truy cập của hệ thống.",
     "The system's access token is missing or wrong.", "Authorization: Bearer <token>")
_add("system-locked", 403, "Hệ thống này đang bị khóa.", "This system is locked.",
     "Liên hệ đơn vị vận hành / contact the operator")
_add("address-not-allowed", 403, "Hệ thống này không được gọi từ địa chỉ {address}.",
     "This system may not call from the address {address}.",
     "Liên hệ đơn vị vận hành / contact the operator: hub agencies {code}, hub agencies --code {code} --action bind")
_add("signatures-wrong", 429, "Quá nhiều chữ ký sai cho hệ thống này từ địa chỉ này.",
     "Too many wrong signatures for this system from this address.",
     "Sửa secret, chờ {seconds} giây / mend the secret, wait {seconds} seconds", temporary=True)
_add("not-found", 404, "Không có tài nguyên này, hoặc nó không thuộc về hệ thống của bạn.",
     "There is no such resource, or it is not yours.")
_add("packet-removed", 410, "Nội dung gói tin đã được xóa khi hết thời hạn lưu; SHA-256 là {sha256}.",
     "The packet's bytes were removed after their time; their SHA-256 is {sha256}.",
     "Dùng bản lưu của cơ quan / use the copy that the agency keeps")
_add("method-not-allowed", 405, "Phương thức không được dùng ở địa chỉ này.", "The method is not allowed here.",
     "{allowed}")
_add("request-malformed", 400, "Không phải yêu cầu HTTP hợp lệ.", "This is no valid HTTP request.", "RFC 9112")
_add("head-too-large", 431, "Phần đầu yêu cầu lớn hơn {limit} byte.",
     "The request's head is larger than {limit} bytes.", "≤ {limit}")
_add("head-late", 408, "Phần đầu yêu cầu đến quá chậm.", "The request's head arrived too slowly.",
     "Gửi lại / send it again", temporary=True)
_add("length-required", 411, "Yêu cầu phải khai độ dài nội dung.", "The request must declare its length.",
     "Content-Length")
_add("content-encoding", 415, "Nội dung gửi ở dạng nén hoặc mã hóa: {found}.", "The content is encoded: {found}.",
     "Gửi nguyên dạng, không nén / send it as it is, uncompressed")
_add("too-large", 413, "Gói tin vượt quá {limit} byte.", "The packet is larger than {limit} bytes.",
     "≤ {limit}; bớt hoặc chia nhỏ tệp đính kèm, nếu có / fewer or smaller attachments, if any")
_add("json-too-large", 413, "Nội dung JSON vượt quá {limit} byte.", "The JSON is larger than {limit} bytes.",
     "≤ {limit}")
_add("body-incomplete", 400, "Nội dung không dài đúng như đã khai.", "The body is not as long as declared.",
     "Gửi lại nguyên vẹn / send it again whole")
_add("body-late", 408, "Nội dung đến quá chậm.", "The body arrived too slowly.", "Gửi lại / send it again",
     temporary=True)
_add("request-field", 422, "Giá trị không hợp lệ: {vi}.", "The value is not valid: {en}.", "{repair}")
_add("cursor", 422, "Con trỏ không hợp lệ.", "The cursor is not valid.",
     "Dùng `next` của lần trước / use the `next` of the last answer")
_add("log-size", 422, "Sổ bằng chứng chỉ có {size} mục: cần first ≤ second ≤ {size}.",
     "The evidence log has {size} entries: first ≤ second ≤ {size} is needed.",
     "Lấy kích thước từ /log/checkpoint / take the sizes from /log/checkpoint")
_add("query-word", 422, "Không hiểu «{word}».", "“{word}” cannot be understood.", "{hint}")
_add("request-invalid", 422, "Yêu cầu không hợp lệ.", "The request is not valid.")
_add("busy", 503, "Trục đang quá tải, hãy gửi lại sau.", "The hub is overloaded, repeat later.",
     "Chờ rồi gửi lại / wait and repeat", temporary=True)
_add("database-away", 503, "Cơ sở dữ liệu tạm thời không dùng được.", "The database is temporarily away.",
     "Chờ rồi gửi lại / wait and repeat", temporary=True)
_add("storage-full", 503, "Trục tạm hết chỗ lưu trữ.", "The hub is temporarily out of storage.",
     "Chờ rồi gửi lại / wait and repeat", temporary=True)
_add("payloads-away", 503, "Kho gói tin tạm thời không dùng được.", "The packet store is temporarily away.",
     "Chờ rồi gửi lại / wait and repeat", temporary=True)
_add("internal", 503, "Trục gặp lỗi nội bộ; gói tin chưa được nhận.",
     "The hub met an internal fault; nothing was accepted.", "Chờ rồi gửi lại / wait and repeat", temporary=True)

# The packet cannot be read (QCVN 102:2016; exchange rules 1, 3, 7).
_add("xml-empty", 422, "Gói tin rỗng.", "The packet is empty.", "Gửi gói edXML / send an edXML packet")
_add("xml-not-xml", 415, "Nội dung không phải XML: bắt đầu bằng {found}.",
     "The content is not XML: it begins with {found}.",
     "Gửi gói edXML nguyên dạng, không nén, không bọc / send the edXML packet as it is, uncompressed and unwrapped")
_add("xml-junk-before-declaration", 422, "Có ký tự trước khai báo XML.",
     "There are characters before the XML declaration.", "Bỏ mọi byte trước <?xml / remove every byte before <?xml")
_add("xml-encoding", 422, "Gói tin không phải UTF-8 ({found}).", "The packet is not UTF-8 ({found}).",
     'encoding="UTF-8"')
_add("xml-doctype", 422, "Gói tin có DOCTYPE hoặc thực thể.", "The packet has a DOCTYPE or entities.",
     "Bỏ DOCTYPE / remove the DOCTYPE")
_add("xml-not-well-formed", 422, "XML sai cú pháp: {why}.", "The XML is not well-formed: {why}.",
     "Sửa tại dòng {line} / mend line {line}")
_add("xml-too-deep", 422, "Phần tử lồng nhau quá {limit} tầng.", "Elements are nested deeper than {limit}.",
     "≤ {limit}")
_add("xml-too-many-elements", 422, "Gói tin có quá {limit} phần tử.", "The packet has more than {limit} elements.",
     "≤ {limit}")
_add("xml-wrong-namespace", 422, "Không gian tên không phải QCVN 102:2016.",
     "The namespace is not that of QCVN 102:2016.", "http://www.mic.gov.vn/TBT/QCVN_102_2016")
_add("xml-no-envelope", 422, "Thiếu edXMLEnvelope.", "There is no edXMLEnvelope.", "edXML/edXMLEnvelope")
_add("xml-two-envelopes", 422, "Gói tin có nhiều edXMLEnvelope.", "There are several edXMLEnvelope.",
     "edXML/edXMLEnvelope")
_add("xml-too-many-names", 422, "Gói tin có quá nhiều tên thẻ khác nhau.", "The packet has too many different tags.",
     "QCVN 102:2016")
_add("xml-no-header", 422, "Thiếu edXMLHeader hoặc MessageHeader.", "There is no edXMLHeader or MessageHeader.",
     "edXMLEnvelope/edXMLHeader/MessageHeader")
_add("packet-is-status", 422, "Đây là gói trạng thái, không phải văn bản.",
     "This is a status packet, not a document.", "POST /v1/statuses; sendEdoc: messagetype=status")
_add("packet-is-document", 422, "Đây là gói văn bản, không phải trạng thái.",
     "This is a document packet, not a status.", "POST /v1/documents; sendEdoc: messagetype=edoc")
_add("packet-refused", 422, "Gói tin vi phạm quy tắc; xem từng vi phạm.",
     "The packet breaks rules; see each violation.")

# The signature (exchange rules 3; XML Signature 1.1).
_add("signature-required", 422, "Gói tin chưa được cơ quan ký số ({why}).",
     "The packet is not signed by the agency ({why}).",
     "Ký gói tin bằng chứng thư đã đăng ký / sign it with a registered certificate")
_add("signature-misplaced", 422, "Chữ ký không nằm đúng chỗ hoặc có nhiều chữ ký.",
     "The signature is misplaced or there are several.", "edXMLHeader/Signature")
_add("signature-form", 422, "Chữ ký không theo dạng được chấp nhận: {why}.",
     "The signature's form is not accepted: {why}.", "Xem docs/signature.md / see docs/signature.md")
_add("signature-algorithm", 422, "Thuật toán ký không được chấp nhận: {found}.",
     "The signature algorithm is not accepted: {found}.",
     "RSA ≥ 2048 / ECDSA P-256, P-384; SHA-256, SHA-384, SHA-512")
_add("signature-digest", 422, "Nội dung đã bị đổi sau khi ký ({what}).",
     "The content was changed after signing ({what}).",
     "Ký lại nội dung hiện tại; curl: dùng --data-binary, vì -d bỏ dấu xuống dòng / "
     "sign the present content again; curl: use --data-binary, since -d drops line breaks")
_add("signature-value", 422, "Giá trị chữ ký sai.", "The signature value is wrong.", "Ký lại / sign again")
_add("signature-comment", 422, "Có chú thích hoặc chỉ thị xử lý trong phần đã ký.",
     "There is a comment or processing instruction inside what was signed.", "Bỏ chú thích / remove it")
_add("signature-attachment-mismatch", 422, "Tệp đính kèm khác với bản kê đã ký: {what}.",
     "An attachment differs from the signed manifest: {what}.", "Khai giống bản kê / repeat the manifest's value")
_add("attachment-signature", 422, "Chữ ký trong tệp PDF «{file}» không đạt, {verdict}: {vi}",
     "The signatures of the PDF file “{file}” do not count, {verdict}: {en}", "{repair}")
_add("certificate-unknown", 422, "Chứng thư {subject} ({serial}) chưa đăng ký ở đây.",
     "The certificate {subject} ({serial}) is not registered here.", "POST /v1/agencies/{code}/certificates")
_add("certificate-other-agency", 422, "Chứng thư này không được ký thay cho {code}.",
     "This certificate may not sign for {code}.", "Dùng chứng thư của {code} / use the certificate of {code}")
_add("certificate-ended", 422, "Chứng thư đã hết hiệu lực hoặc chưa có hiệu lực tại thời điểm này.",
     "The certificate does not count at this moment (expired, ended or not yet valid).",
     "Đăng ký chứng thư mới / register a new one")
_add("certificate-invalid", 422, "Chứng thư không đọc được hoặc khóa quá yếu: {why}.",
     "The certificate cannot be read or its key is too weak: {why}.", "RSA ≥ 2048 / ECDSA P-256, P-384")
_add("too-many-certificates", 409, "Cơ quan {code} đã có {limit} chứng thư còn hiệu lực.",
     "The agency {code} has {limit} certificates that still count.",
     "Chờ chứng thư cũ hết hạn / wait until an earlier one ends")
_add("possession-not-proved", 403, "Chưa chứng minh được quyền giữ khóa hoặc quyền đăng ký.",
     "Possession of the key, or the right to register it, is not proved.",
     "Ký chuỗi được nêu trong tài liệu / sign the text named in the documentation")
_add("one-time-code-wrong", 403, "Mã một lần sai, đã dùng, hết hạn hoặc thử quá 5 lần.",
     "The one-time code is wrong, used, expired or was tried five times.", "hub enrol {code}")

# The gateway dialect: the request, and what its signed headers say beside the packet.
_add("gateway-signature", 401, "Chữ ký của yêu cầu không được chấp nhận: {vi}.",
     "The request's signature is not accepted: {why}.", "{repair}")
_add("gateway-body", 401, "Nội dung gửi không phải nội dung đã ký (hash-file).",
     "The body is not the one that was signed (hash-file).", "Gửi lại nguyên tệp / send the whole file again")
_add("gateway-method", 404, "Không có phương thức {method}.", "There is no method {method}.", "{allowed}")
_add("gateway-argument", 422, "Tham số {name} không hợp lệ: {value}.", "The argument {name} is not valid: {value}.",
     "{allowed}")
_add("from-differs", 403, "Tham số from ({stated}) khác đơn vị gửi trong gói tin ({code}).",
     "The argument from ({stated}) is not the packet's sender ({code}).", "from = {code}")
_add("to-differs", 422, "Tham số to khác nơi nhận trong gói tin: {difference} (+ chỉ có ở to, - chỉ có trong gói).",
     "The argument to differs from the packet's recipients: {difference} (+ only in to, - only in the packet).",
     "Bỏ tham số to, hoặc nêu đúng các nơi nhận của gói tin / leave to out, or name the packet's recipients")

# Units that a system registers below its own agency (gateway dialect).
_add("unit-data", 422, "Thông tin đơn vị không hợp lệ: {vi}.", "The unit's data are not valid: {why}.",
     '{{"id":"","pcode":"…","code":"…","name":"…","mail":"…"}}')
_add("unit-not-below", 403, "Mã {code} không thuộc cấp dưới của {own}.", "The code {code} is not below {own}.",
     "Mã cấp dưới của {own} / a code below {own}")
_add("unit-connected", 409, "Đơn vị {code} có hệ thống riêng hoặc chứng thư riêng; chỉ đơn vị vận hành được đổi.",
     "The unit {code} has a system or a certificate of its own; only the operator may change it.",
     "Liên hệ đơn vị vận hành / contact the operator")
_add("unit-not-yours", 403, "Đơn vị {code} không do hệ thống này đăng ký.",
     "The unit {code} was not registered by this system.", "Liên hệ đơn vị vận hành / contact the operator")
_add("unit-closed", 409, "Đơn vị {code} thuộc cơ quan đã đóng từ {since}.",
     "The unit {code} is below an agency closed since {since}.", "Liên hệ đơn vị vận hành / contact the operator")
_add("unit-name-taken", 409, "Tên «{name}» là của cơ quan {other} trong danh mục.",
     "The name “{name}” is that of the listed agency {other}.", "Ghi tên riêng của đơn vị / give the unit's own name")
_add("units-too-many", 409, "Hệ thống này đã đăng ký {limit} đơn vị.", "This system has registered {limit} units.",
     "deleteAgency")

# Who may do what (exchange rules 2).
_add("not-your-agency", 403, "Đơn vị gửi {code} không thuộc hệ thống này.",
     "The sender {code} does not belong to this system.", "{allowed}")
_add("not-your-document", 403, "Văn bản được nêu không phải của đơn vị gửi.",
     "The document named is not the sender's own.", "Nêu DocumentId của chính đơn vị / name a document of your own")

# Identity and duplicates (exchange rules 4).
_add("document-conflict", 409, "DocumentId này đã gửi với nội dung khác (văn bản {first}).",
     "This DocumentId was sent with other content (document {first}).",
     "Gửi dạng cập nhật (2) hoặc thay thế (3) / send as update (2) or replacement (3)")
_add("number-taken", 409, "Số, ký hiệu này trong năm đã dùng cho văn bản {first}.",
     "This number and symbol of the year belong to document {first}.",
     "Cấp số mới, hoặc gửi cập nhật (2), thay thế (3) / take a new number, or send as update (2) or replacement (3)")
_add("too-many-concerned", 422, "Gói tin tác động đến hơn {limit} bản chuyển của các văn bản trước.",
     "The packet acts on more than {limit} deliveries of earlier documents.",
     "Chia theo văn bản hoặc nơi nhận thành nhiều gói / split it by document or recipient into several packets")
_add("already-revoked", 409, "Văn bản đã được thu hồi, thay thế hoặc rút ở mọi nơi nhận được nêu.",
     "The document is already revoked, replaced or withdrawn at every recipient named.",
     "Không cần gửi lại / nothing to do")

# Deliveries (exchange rules 6).
_add("lease-held", 409, "Bản chuyển này đang được một tiến trình khác giữ đến {until}.",
     "Another process holds this delivery until {until}.", "Chờ hoặc lấy bản khác / wait or take another")
_add("lease-lost", 409, "Quyền giữ bản chuyển này đã hết hoặc thuộc tiến trình khác.",
     "The lease on this delivery is over or another's.", "Nhận lại bằng taken / claim it again")
_add("delivery-final", 409, "Bản chuyển đã kết thúc ({state}).", "The delivery is final ({state}).",
     "Không cần làm gì / nothing to do")
_add("delivery-not-fetched", 409, "Chưa lấy nội dung của bản chuyển này.",
     "This delivery's packet was never fetched.", "GET /v1/deliveries/{delivery}/packet; getEdoc, downloadEdoc")

# Status packets (exchange rules 6).
_add("status-code-unknown", 422, "Mã trạng thái {status} không được dùng; cho phép: {allowed}.",
     "Status code {status} is not used; allowed: {allowed}.", "{allowed}")
_add("status-not-allowed", 422, "Trạng thái {status} không được phép sau {state}; cho phép: {allowed}.",
     "Status {status} is not allowed after {state}; allowed: {allowed}.", "{allowed}")
_add("status-reason-missing", 422, "Từ chối (02) phải có lý do.", "A refusal (02) needs its reason.", "Description")
_add("status-document-unknown", 422, "Không tìm thấy văn bản được nêu giữa hai đơn vị này.",
     "The document named is not known between these two agencies.", "ResponseFor/DocumentId")
_add("status-ambiguous", 422, "Thông tin nêu ứng với nhiều văn bản.", "What is named fits several documents.",
     "{needed}")
_add("status-field-missing", 422, "Gói trạng thái thiếu {field}.", "The status packet lacks {field}.", "{field}")
_add("status-field-long", 422, "{field} dài {length} ký tự, quá giới hạn {limit}.",
     "{field} has {length} characters, above {limit}.", "≤ {limit}")
_add("status-timestamp", 422, "Thời điểm không đọc được: {found}.", "The timestamp cannot be read: {found}.",
     "{repaired}")

# Warnings; they never refuse (status 200).
_add("signature-sha1", 200, "Chữ ký dùng SHA-1, không còn an toàn; chỉ được nhận vì hệ thống này được cho phép.",
     "The signature uses SHA-1, which is no longer safe; it is accepted only because this system is allowed to.",
     "SHA-256, SHA-384, SHA-512")
_add("id-without-year", 200, "DocumentId này đã dùng ở năm khác; năm được tính vào định danh.",
     "This DocumentId was used in another year; the year counts as part of the identity.", "{sender},{date},{code}")
_add("target-unknown", 200, "Trục không có văn bản {target}; gói vẫn được chuyển.",
     "The hub does not know document {target}; the packet is delivered all the same.",
     "Kiểm tra DocumentId / check the DocumentId")
_add("duplicate-suspected", 200, "Số, ký hiệu này của năm đã có ở văn bản {first}.",
     "This number and symbol of the year stand on document {first} already.",
     "Kiểm tra có gửi trùng không / check whether it was sent before")

# The hub's own commands.
_add("agency-unknown", 404, "Không có cơ quan {code} trong danh mục.", "The agency {code} is not in the directory.",
     "hub agencies; hub enrol {code} --name TÊN (ghi danh mã mới / to enrol a new code)")
_add("system-id-taken", 409, "Mã hệ thống {value} đã cấp cho cơ quan {code}.",
     "The system id {value} was given to the agency {code}.", "Chọn mã khác / choose another")
_add("enrolled-twice", 422, "{value} được ghi danh hai lần.", "{value} is enrolled twice.",
     "Mỗi mã và mỗi system_id một lần / each code and each system_id once")
_add("system-id-form", 422, "Mã hệ thống {value} không hợp lệ.", "The system id {value} is not valid.",
     "[A-Za-z0-9._-], ≤ 64")
_add("agency-code-form", 422, "Mã {code} không theo dạng nào đã biết.", "The code {code} has no known form.",
     "--name TÊN (ghi danh mã đặc biệt / to enrol a special code)")
_add("agency-code-case", 422, "Không có mã {code}; có phải là {meant} không?",
     "There is no code {code}; is it {meant}?", "{meant}")
_add("agency-is-node", 422, "{code} là mã nút của chính trục liên thông, không phải cơ quan nên không ghi danh được.",
     "{code} is a node of the axis itself, no agency, and cannot be enrolled.", "hub agencies")
_add("agency-closed", 200, "Cơ quan {code} đã đóng từ {since}.", "The agency {code} is closed since {since}.",
     "{instead}")
_add("certificate-elsewhere", 200, "Chứng thư của {code} cũng được đăng ký cho {others}.",
     "The certificate of {code} is registered for {others} as well.",
     "Mỗi cơ quan một khóa riêng / a key of its own for each agency")
_add("trust-unfit", 422, "Không nhận chứng thư {subject} làm {role}: {vi}.",
     "The certificate {subject} is not taken as {role}: {en}.", "{repair}")
_add("trust-unknown", 404, "Không có đúng một chứng thư trong kho tin cậy có dấu vân tay bắt đầu bằng {prefix}.",
     "There is not exactly one certificate in the trust store whose fingerprint begins with {prefix}.",
     "hub trust list; từ 8 ký tự / 8 digits or more")
_add("crl-unfit", 422, "Không nhận CRL này: {vi}.", "This CRL is not taken: {en}.", "{repair}")
_add("system-connected", 409, "Mã {code} đang có hệ thống {system} kết nối từ {since}.",
     "System {system} is connected for {code} since {since}.",
     "--replace (hệ thống ấy ngừng ngay / that system is retired at once)")
_add("credentials-renewed", 409, "Khóa bí mật của hệ thống {system} ({code}) đã được cấp lại lúc {since}.",
     "The secrets of system {system} ({code}) were renewed at {since}.",
     "Mở lại trang cơ quan / open the agency's page again")
_add("system-none", 404, "Cơ quan {code} chưa có hệ thống nào kết nối.",
     "No system is connected for the agency {code}.", "hub enrol {code}")
_add("addresses-form", 422, "{value} không phải địa chỉ hay dải địa chỉ mạng.",
     "{value} is no network address or network.", "203.0.113.7, 10.20.0.0/16, 2001:db8::/32")
_add("secret-weak", 200, "Khóa bí mật chỉ có {length} ký tự; ai bắt được một yêu cầu có thể dò ra nó.",
     "The secret has only {length} characters; whoever catches one request may guess it.",
     "Dùng khóa từ {least} ký tự, TLS và --address / use {least} characters or more, TLS and --address")
_add("secret-short", 422, "Khóa bí mật chỉ có {length} ký tự.", "The secret has only {length} characters.", "≥ {least}")
_add("id-unknown", 404, "Không có văn bản, bản chuyển, gói tin, báo cáo hay lần từ chối nào mang mã {key}.",
     "No document, delivery, packet, report or refusal has the id {key}.", "hub log; hub log --refused")
_add("hub-missing", 404, "Ở đây chưa có trục nào: {where}.", "No hub here: {where}.",
     "--data-dir, --database-url; `hub serve` hoặc `hub migrate` tạo mới / makes one")
# The console, and the accounts of those who use it.
_add("sign-in-wrong", 403, "Tên hoặc mật khẩu không đúng.", "The name or the password is wrong.",
     "Nhập lại; quên mật khẩu thì nhờ quản trị / try again; an administrator can set a new password")
_add("sign-in-wait", 429, "Sai quá nhiều lần từ máy này; chờ {seconds} giây rồi đăng nhập lại.",
     "Too many wrong tries from this machine; wait {seconds} seconds and sign in again.",
     "{seconds} s")
_add("sign-in-plain", 403, "Kết nối này không được mã hóa nên không đăng nhập được.",
     "This connection is not encrypted, so nobody can sign in by it.",
     "Mở bằng https://, hoặc http://127.0.0.1 trên chính máy chủ / use https://, or http://127.0.0.1 there")
_add("link-over", 410, "Liên kết đăng nhập này đã dùng rồi hoặc đã hết hạn.",
     "This sign-in link was used already, or is too old.", "hub operator link")
_add("role-low", 403, "Vai trò của bạn không được làm việc này; cần vai trò «{role}».",
     "Your role may not do this; it needs the role “{role_en}”.", "Nhờ quản trị / ask an administrator")
_add("page-unknown", 404, "Không có trang này, hoặc thứ nó hiển thị không còn nữa.",
     "There is no such page, or what it showed is gone.")
_add("form-stale", 403, "Biểu mẫu không thuộc phiên đăng nhập này; chưa có gì được thay đổi.",
     "The form is not of this session; nothing was changed.", "Mở lại trang rồi làm lại / open the page again")
_add("form-too-large", 413, "Biểu mẫu lớn hơn {limit} byte.", "The form is larger than {limit} bytes.", "≤ {limit}")
_add("reason-form", 422, "Lý do phải dài từ {least} đến {most} ký tự, không có ký tự điều khiển.",
     "A reason has {least} to {most} characters and no control characters.",
     "Viết lý do ngắn gọn / write a short reason")
_add("search-name", 422, "Tên của tìm kiếm phải dài từ 1 đến {most} ký tự.",
     "The name of a search has 1 to {most} characters.", "Quá hạn của tỉnh / overdue in the province")
_add("search-name-taken", 409, "Bạn đã có tìm kiếm tên «{name}».", "You have a search called “{name}” already.",
     "Chọn tên khác / choose another name")
_add("operator-name", 422, "«{value}» không dùng làm tên người vận hành được.",
     "“{value}” cannot be an operator's name.", "1–64: a–z 0–9 . _ - @")
_add("operator-known", 409, "Đã có người vận hành «{name}».", "There is an operator “{name}” already.",
     "hub operator list")
_add("operator-unknown", 404, "Không có người vận hành «{name}».", "There is no operator “{name}”.",
     "hub operator list")
_add("operator-self", 409, "Không ai tự xóa hoặc tự đổi vai trò của mình.",
     "Nobody removes an account or changes a role of their own.",
     "Nhờ quản trị khác, hoặc lệnh hub operator / ask another administrator, or use the command hub operator")
_add("passwords-differ", 422, "Hai lần nhập mật khẩu khác nhau.", "The two passwords differ.",
     "Nhập lại cả hai / enter both again")
_add("password-weak", 422, "Mật khẩu dài từ {least} đến {most} ký tự, ít nhất 5 ký tự khác nhau, không chứa tên.",
     "A password has {least} to {most} characters, at least 5 different ones, and not the name in it.",
     "Dùng một câu dễ nhớ / use a sentence that you remember")
_add("folder-unusable", 500, "Không dùng được thư mục {folder}: {why}.", "The folder {folder} cannot be used: {why}.",
     "--data-dir, HUB_DATA_DIR, HUB_PAYLOADS_URL")
_add("payloads-unusable", 500, "Không dùng được kho gói tin: {why}.", "The packet store cannot be used: {why}.",
     "HUB_PAYLOADS_URL, HUB_S3_ENDPOINT, HUB_S3_REGION, HUB_S3_ACCESS_KEY, HUB_S3_SECRET_KEY")
_add("database-unusable", 500, "Không dùng được cơ sở dữ liệu {where}: {why}.",
     "The database {where} cannot be used: {why}.", "--database-url, HUB_DATABASE_URL, --data-dir, HUB_DATA_DIR")
_add("schema-older", 409, "Cơ sở dữ liệu {where} ở phiên bản {found}, chương trình này cần {needed}.",
     "The database {where} is at schema {found}; this program needs {needed}.",
     "hub migrate, hoặc khởi động lại `hub serve` / or start `hub serve` anew; hub backup trước / first")
_add("schema-newer", 409, "Cơ sở dữ liệu {where} ở phiên bản {found}, mới hơn {needed} của chương trình này.",
     "The database {where} is at schema {found}, newer than this program's {needed}.",
     "Dùng chương trình mới hơn, hoặc khôi phục bản sao lưu / run the newer program, or restore a backup")
_add("backup-exists", 409, "{where} đã có rồi.", "There is something at {where} already.",
     "Chọn tên thư mục mới / name a new folder")
_add("backup-broken", 422, "Bản sao lưu {where} không nguyên vẹn: {what}.", "The backup {where} is not whole: {what}.",
     "Dùng bản sao lưu khác / use another backup")
_add("hub-present", 409, "Ở {where} đã có một trục.", "There is a hub at {where} already.",
     "Khôi phục vào nơi trống: --data-dir, --database-url / restore into an empty place")
_add("clock-behind", 409, "Đồng hồ máy này ({now}) chậm hơn lúc sao lưu ({made}).",
     "This machine's clock ({now}) is behind the backup's time ({made}).", "Chỉnh đồng hồ / set the clock")
_add("key-file-lost", 500, "Mất tệp khóa {path}, trong khi đã có hệ thống được ghi danh bằng khóa ấy.",
     "The key file {path} is missing, and systems are enrolled under its key.",
     "Khôi phục từ bản sao lưu; không còn thì tạo khóa mới rồi ghi danh lại mọi hệ thống / restore it from the backup; "
     "without one make a new key (openssl rand -base64 32 | tr '+/' '-_') and enrol every system again")
_add("key-file-unusable", 500, "Không dùng được tệp khóa {path}: {why}.", "The key file {path} cannot be used: {why}.",
     "Kiểm tra quyền đọc, hoặc khôi phục từ bản sao lưu / check who may read it, or restore it from the backup")
# fmt: on
