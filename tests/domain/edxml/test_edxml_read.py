"""A tree to its fields: everything QCVN 102 names, and every liberty the field takes with it."""

from __future__ import annotations

import unicodedata

import pytest
from builders.packets import a_document, a_status, frame

from hub.domain.document import (
    Business,
    Document,
    DocumentRef,
    ManifestEntry,
    Organization,
    Receiver,
    Replaced,
    StaffInfo,
    StatusReport,
    Trace,
)
from hub.domain.edxml import manifest_of, parse, read_document, read_status, write_document, write_status
from hub.errors import Refusal


def read(message_header: str = "", *, trace: str = "", body: str = "", attachments: str = "") -> Document:
    return read_document(parse(frame(message_header, trace=trace, body=body, attachments=attachments)))


def subject(inside: str) -> str:
    return read(f"<Subject>{inside}</Subject>").subject


def test_every_element_of_the_message_header_is_read() -> None:
    document = read(
        "<From><OrganId>G22</OrganId><OrganizationInCharge>Chính phủ</OrganizationInCharge><OrganName>VPCP</OrganName>"
        "<OrganAdd>Hà Nội</OrganAdd><Email>a@example.vn</Email><Telephone>1</Telephone><Fax>2</Fax>"
        "<Website>example.vn</Website></From>"
        "<To><OrganId>H41</OrganId></To><To><OrganId>H42</OrganId></To>"
        "<DocumentId>id</DocumentId><Code><CodeNumber>15</CodeNumber><CodeNotation>VPCP-TTĐT</CodeNotation></Code>"
        "<PromulgationInfo><Place>Hà Nội</Place><PromulgationDate>2025/1/2</PromulgationDate></PromulgationInfo>"
        "<DocumentType><Type>1</Type><TypeDetail>0</TypeDetail><TypeName>Công văn</TypeName></DocumentType>"
        "<Subject>s</Subject><Content>c</Content>"
        "<SignerInfo><Competence>TM.</Competence><Position>p</Position><FullName>f</FullName></SignerInfo>"
        "<DueDate>2025/02/01</DueDate>"
        "<OtherInfo><Priority>3</Priority><SphereOfPromulgation>so</SphereOfPromulgation><TyperNotation>tn</TyperNotation>"
        "<PromulgationAmount>4</PromulgationAmount><PageAmount>5</PageAmount><ReplyFors>rf</ReplyFors>"
        "<Direction>true</Direction><ReferenceCodes>rc</ReferenceCodes>"
        "<Appendixes><Appendix>Phụ lục I</Appendix><Appendix>Phụ lục II</Appendix></Appendixes></OtherInfo>"
        "<ResponseFor><OrganId>H41</OrganId><Code>7/UBND</Code><DocumentId>d7</DocumentId>"
        "<PromulgationDate>2024/12/30</PromulgationDate></ResponseFor><ResponseFor><Code>8/UBND</Code></ResponseFor>"
        "<SteeringType>1</SteeringType><ResponseForTask><TaskCode>t1</TaskCode><TaskCode>t2</TaskCode></ResponseForTask>"
        "<ApplicationType>at</ApplicationType><ToPlaces><Place>Như trên</Place><Place>Lưu: VT</Place></ToPlaces>"
    )
    assert document == Document(
        sender=Organization("G22", "Chính phủ", "VPCP", "Hà Nội", "a@example.vn", "1", "2", "example.vn"),
        recipients=(Organization("H41"), Organization("H42")),
        document_id="id",
        number="15",
        symbol="VPCP-TTĐT",
        place="Hà Nội",
        promulgation_date="2025/1/2",
        type="1",
        type_detail="0",
        type_name="Công văn",
        subject="s",
        content="c",
        competence="TM.",
        position="p",
        signer="f",
        due_date="2025/02/01",
        priority="3",
        sphere="so",
        typer="tn",
        copies="4",
        pages="5",
        reply_fors="rf",
        direction="true",
        reference_codes="rc",
        appendixes=("Phụ lục I", "Phụ lục II"),
        response_for=(DocumentRef("H41", "7/UBND", "d7", "2024/12/30"), DocumentRef(code="8/UBND")),
        steering_type="1",
        task_codes=("t1", "t2"),
        application_type="at",
        to_places=("Như trên", "Lưu: VT"),
    )


def test_every_element_of_the_trace_header_is_read() -> None:
    document = read(
        trace="<Bussiness><DocumentId>d</DocumentId><BussinessDocType>2</BussinessDocType>"
        "<BussinessDocReason>Đổi nơi nhận</BussinessDocReason><Paper>1</Paper>"
        "<BussinessDocumentInfo><DocumentInfo>0</DocumentInfo><DocumentReceiver>1</DocumentReceiver><ReceiverList>"
        "<Receiver><OrganId>H41</OrganId><ReceiverType>0</ReceiverType></Receiver></ReceiverList><ReceiverList>"
        "<Receiver><OrganId>H14</OrganId><ReceiverType>1</ReceiverType></Receiver></ReceiverList></BussinessDocumentInfo>"
        "<ReplacementInfoList><ReplacementInfo><DocumentId>d1</DocumentId><OrganIdList><OrganId>H41</OrganId>"
        "<OrganId>H14</OrganId></OrganIdList></ReplacementInfo></ReplacementInfoList>"
        "<ReplacementInfoList><ReplacementInfo><DocumentId>d2</DocumentId></ReplacementInfo></ReplacementInfoList>"
        "<StaffInfo><Department>a</Department><DepartmentId>b</DepartmentId><Staff>c</Staff><StaffId>d</StaffId>"
        "<Email>e</Email><Mobile>f</Mobile></StaffInfo><StaffInfo><Staff>g</Staff></StaffInfo></Bussiness>"
        "<TraceHeader><OrganId>G22</OrganId><Timestamp>2025/01/02 08:30:00</Timestamp></TraceHeader>"
        "<TraceHeader><Timestamp>2025/01/02 08:30:01</Timestamp></TraceHeader>"
    )
    assert document.business == Business(
        type="2",
        reason="Đổi nơi nhận",
        document_id="d",
        paper="1",
        document_info="0",
        document_receiver="1",
        receivers=(Receiver("H41", "0"), Receiver("H14", "1")),
        replaced=(Replaced("d1", ("H41", "H14")), Replaced("d2")),
        staff=(StaffInfo("a", "b", "c", "d", "e", "f"), StaffInfo(staff="g")),
    )
    assert document.traces == (Trace("G22", "2025/01/02 08:30:00"), Trace("", "2025/01/02 08:30:01"))


def test_every_element_of_a_status_is_read() -> None:
    packet = frame(
        "<From><OrganId>H41</OrganId></From><ResponseFor><OrganId>G22</OrganId><Code>15/VPCP-TTĐT</Code>"
        "<DocumentId>d</DocumentId><PromulgationDate>2025/01/02</PromulgationDate></ResponseFor>"
        "<StaffInfo><Department>a</Department><DepartmentId>b</DepartmentId><Staff>c</Staff><StaffId>d</StaffId>"
        "<Email>e</Email><Mobile>f</Mobile></StaffInfo><StatusCode>02</StatusCode>"
        "<Description>Sai thẩm quyền</Description><Timestamp>2025/01/02 09:15:00</Timestamp>"
    )
    assert read_status(parse(packet)) == StatusReport(
        Organization("H41"),
        DocumentRef("G22", "15/VPCP-TTĐT", "d", "2025/01/02"),
        StaffInfo("a", "b", "c", "d", "e", "f"),
        status="02",
        description="Sai thẩm quyền",
        timestamp="2025/01/02 09:15:00",
    )


@pytest.mark.parametrize("manifest", ["edXMLManifest", "Manifest"])
def test_the_manifest_is_read_under_both_its_names(manifest: str) -> None:
    body = (
        f'<{manifest} version="1.0"><Reference><ContentId>cid:209</ContentId><ContentType>application/pdf</ContentType>'
        f"<Description>Tờ trình</Description><AttachmentName>a.pdf</AttachmentName></Reference></{manifest}>"
    )
    assert manifest_of(parse(frame(body=body))) == (ManifestEntry("209", "application/pdf", "a.pdf", "Tờ trình"),)


def test_of_a_repeated_single_element_the_last_counts() -> None:
    document = read(
        "<Subject>cũ</Subject><Code><CodeNumber>1</CodeNumber></Code><From><OrganId>G01</OrganId></From>"
        "<Subject>mới</Subject><Code><CodeNumber>2</CodeNumber><CodeNumber>3</CodeNumber></Code>"
        "<From><OrganId>G22</OrganId></From>"
    )
    assert (document.subject, document.number, document.sender.organ_id) == ("mới", "3", "G22")


def test_prefixes_and_namespaces_below_the_envelope_do_not_matter() -> None:
    document = read(
        '<a:Subject xmlns:a="urn:a">đủ</a:Subject><To xmlns=""><b:OrganId xmlns:b="urn:b">H41</b:OrganId></To>'
    )
    assert (document.subject, document.recipients) == ("đủ", (Organization("H41"),))


def test_order_does_not_matter() -> None:
    document = read("<ToPlaces><Place>p</Place></ToPlaces><Subject>s</Subject><To><OrganId>H41</OrganId></To>")
    assert (document.to_places, document.subject, document.recipients) == (("p",), "s", (Organization("H41"),))


def test_unknown_elements_do_no_harm_and_those_of_the_header_are_kept_with_their_text() -> None:
    document = read("<MaHoSo> HS<b>-</b>15 </MaHoSo><Rong/><Code><La>1</La><CodeNumber>2</CodeNumber></Code>")
    assert document.unknown == (("MaHoSo", "HS-15"),)
    assert document.number == "2"


def test_the_correct_spelling_of_business_is_not_read() -> None:
    assert read(trace="<Business><BusinessDocType>1</BusinessDocType></Business>").business == Business()


def test_paper_counts_inside_business_only() -> None:
    trace = "<Paper>1</Paper><Bussiness><BussinessDocType>0</BussinessDocType></Bussiness>"
    assert read(trace=trace).business.paper == ""


@pytest.mark.parametrize("value", ["", "  \r\n ", "null", " null ", "<!-- nothing -->", "\u00a0"])
def test_null_empty_and_blank_mean_missing(value: str) -> None:
    assert subject(value) == ""


@pytest.mark.parametrize("value", ["NULL", "null.", "annull"])
def test_only_the_exact_word_null_means_missing(value: str) -> None:
    assert subject(value) == value


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        (" V/v  báo cáo\r\n năm ", "V/v  báo cáo\n năm"),
        ("V/v <![CDATA[<b> & ]]>báo cáo", "V/v <b> & báo cáo"),
        ("V/v <!-- không -->báo cáo<!----> năm", "V/v báo cáo năm"),
        ("V/v <?x y?>báo cáo", "V/v báo cáo"),
        ("&lt;&amp;&gt;&#272;&quot;&apos;", "<&>Đ\"'"),
    ],
    ids=["blanks", "cdata", "comments", "instruction", "references"],
)
def test_a_text_is_read_whole(inside: str, text: str) -> None:
    assert subject(inside) == text


def test_texts_are_composed_and_file_names_stay_as_written() -> None:
    decomposed = unicodedata.normalize("NFD", "Nghị quyết.pdf")
    document = read(
        f"<Subject>{decomposed}</Subject>",
        body=f"<edXMLManifest><Reference><AttachmentName>{decomposed}</AttachmentName></Reference></edXMLManifest>",
        attachments=f"<Attachment><AttachmentName>{decomposed}</AttachmentName></Attachment>",
    )
    assert document.subject == "Nghị quyết.pdf"
    assert document.attachments[0].name == document.manifest[0].name == decomposed


def test_a_text_of_endless_combining_marks_is_refused_before_it_costs_time() -> None:
    packet = frame("<Subject>a" + "\u0301\u0316" * 600_000 + "</Subject>")
    with pytest.raises(Refusal, match=r"^xml-not-well-formed") as refused:
        read_document(parse(packet))  # normalising it first takes longer than a test is given
    assert refused.value.pointer == "Subject"


def test_thirty_marks_on_one_letter_are_read() -> None:
    assert subject("a" + "\u0316" * 30) == "a" + "\u0316" * 30
    with pytest.raises(Refusal, match=r"^xml-not-well-formed"):
        subject("a" + "\u0316" * 31)


def test_a_long_row_of_symbols_is_an_ordinary_text() -> None:
    assert subject("…" * 60) == "…" * 60


def test_an_empty_recipient_is_kept_and_other_empty_elements_are_as_if_missing() -> None:
    document = read(
        "<From/><To/><ResponseFor/><ToPlaces><Place/></ToPlaces><ResponseForTask/>",
        trace="<TraceHeader/><Bussiness><StaffInfo/><ReplacementInfoList><ReplacementInfo/></ReplacementInfoList></Bussiness>",
    )
    assert document == Document(sender=Organization(), recipients=(Organization(),))


def test_a_missing_document_id_stays_missing() -> None:
    assert read().document_id == ""


def test_a_status_is_not_read_as_a_document_nor_a_document_as_a_status() -> None:
    with pytest.raises(Refusal, match=r"^packet-is-status") as refused:
        read_document(parse(write_status(a_status())))
    assert refused.value.pointer == "MessageHeader/StatusCode"
    with pytest.raises(Refusal, match=r"^packet-is-document") as refused:
        read_status(parse(write_document(a_document())))
    assert refused.value.pointer == "MessageHeader"


def test_a_status_tolerates_what_only_documents_have() -> None:
    packet = frame("<StatusCode> 03 </StatusCode>", trace="<TraceHeader/>", attachments="<Attachment><a/></Attachment>")
    assert read_status(parse(packet)).status == "03"
