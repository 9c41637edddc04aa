/** What the page itself says, in Vietnamese and English; what the steps found comes from them in both. */

export const TEXTS = {
  vi: {
    title: "Kiểm tệp chứng cứ",
    about:
      "Tệp được kiểm ngay trong trình duyệt này: không gửi đi đâu, không hỏi trục, không cần mạng sau khi trang đã " +
      "mở. Các bước giống lệnh agency verify.",
    file: "Tệp chứng cứ (.zip)",
    fileHint: "Chọn tệp, hoặc kéo thả vào trang.",
    keys: "Khóa tin cậy",
    keysHint:
      "Của trục, lấy bằng đường bạn tin: jwks.json, log-keys.txt; chứng thư gốc dạng PEM; hoặc keys.json của một " +
      "tệp đã tin. Không có khóa tin cậy thì ai cũng làm được một tệp đạt mọi bước.",
    keyFiles: "Chọn tệp khóa",
    keyText: "Hoặc dán khóa vào đây",
    tsaFiles: "Chứng thư gốc PEM của nơi cấp dấu thời gian (TSA) mà bạn tin",
    steps: "Các bước",
    limits: "Tệp này không chứng minh điều gì",
    limitsText:
      "Tệp cho thấy những gì có trong nó, không cho thấy ngoài ra không còn gì: ai bỏ bớt một biên nhận thì ở đây " +
      "không biết được. Thời điểm của mỗi lời xác nhận là do trục ghi.",
    working: "Đang kiểm…",
    passed: "Đạt",
    failed: "Không đạt",
    untold: "Bạn phải xét",
    missing: "Chưa xét",
    proves: "Chứng minh",
    provesNot: "Không chứng minh",
    more: "Bước này chứng minh gì",
    clause: "Căn cứ",
    fileName: "Tệp",
    document: "Mã văn bản ở trục",
    restsOn: "Dựa vào",
    restsOnPinned: "khóa bạn đã chọn:",
    restsOnOwn: "khóa của chính tệp, chưa ai xác nhận:",
    roots: "Chứng thư gốc bạn đã chọn",
    unreadable: "Không đọc được tệp. Hãy chọn lại.",
    keysBad: (why) => `Chưa kiểm: ${why}. Hãy chọn lại khóa tin cậy.`,
    insecure:
      "Trang này mở qua http nên trình duyệt không cho tính mật mã. Hãy mở bằng https, hoặc dùng lệnh agency verify.",
    broken: (why) => `Trang bị lỗi, chưa kết luận gì (${why}). Hãy dùng lệnh agency verify.`,
    verdictFailed: (numbers) => `KHÔNG ĐẠT: tệp sai ở bước ${numbers}. Đừng dựa vào tệp này.`,
    verdictElsewhere: (numbers) =>
      `CHƯA KẾT LUẬN: bước ${numbers} không kiểm được ở đây; các bước khác không sai. Hãy dùng lệnh agency verify.`,
    verdictOwn:
      "CHƯA CHẮC: tệp không tự mâu thuẫn, nhưng mới chỉ dựa vào khóa của chính nó. Hãy chọn khóa tin cậy, hoặc đối " +
      "chiếu khóa ở bước 3.",
    verdictOpen: (numbers) => `ĐẠT theo khóa bạn đã chọn. Còn điều bạn phải tự xét ở bước ${numbers}.`,
    verdictPassed: "ĐẠT: mọi bước đều đúng, theo khóa bạn đã chọn.",
  },
  en: {
    title: "Verify an evidence file",
    about:
      "The file is verified within this browser: nothing is uploaded, no hub is asked, and no network is needed once " +
      "the page is open. The steps are those of the command agency verify.",
    file: "Evidence file (.zip)",
    fileHint: "Choose the file, or drop it on the page.",
    keys: "Trusted keys",
    keysHint:
      "Of the hub, had over a way you trust: jwks.json, log-keys.txt; roots of certificates in PEM; or keys.json out " +
      "of a file that is trusted. Without trusted keys anybody can make a file that passes every step.",
    keyFiles: "Choose key files",
    keyText: "Or paste keys here",
    tsaFiles: "Roots in PEM of timestamping authorities (TSA) that you trust",
    steps: "The steps",
    limits: "What this file does not prove",
    limitsText:
      "The file shows what is in it, never that nothing else was: a receipt that was left out is not missed here. " +
      "The moment of each statement is the hub's.",
    working: "Verifying…",
    passed: "Passed",
    failed: "Failed",
    untold: "For you to judge",
    missing: "Not gone",
    proves: "Proves",
    provesNot: "Does not prove",
    more: "What this step proves",
    clause: "By",
    fileName: "File",
    document: "The hub's id of the document",
    restsOn: "Rests on",
    restsOnPinned: "the keys you chose:",
    restsOnOwn: "the file's own keys, which nobody has confirmed:",
    roots: "Roots you chose",
    unreadable: "The file cannot be read. Choose it again.",
    keysBad: (why) => `Not verified yet: ${why}. Choose the trusted keys again.`,
    insecure:
      "This page was opened over http, where browsers offer no cryptography. Open it over https, or use the command " +
      "agency verify.",
    broken: (why) => `The page failed and says nothing of the file (${why}). Use the command agency verify.`,
    verdictFailed: (numbers) => `FAILED: the file is wrong at step ${numbers}. Do not rely on it.`,
    verdictElsewhere: (numbers) =>
      `NOT DECIDED: step ${numbers} cannot be checked here; no other step failed. Use the command agency verify.`,
    verdictOwn:
      "NOT CERTAIN: nothing in the file contradicts the rest, but it rests on its own keys alone. Choose trusted " +
      "keys, or compare the keys of step 3.",
    verdictOpen: (numbers) => `PASSED by the keys you chose. Step ${numbers} leaves something for you to judge.`,
    verdictPassed: "PASSED: every step is right, by the keys you chose.",
  },
};

/** Of each step, by its number less one: name, what it proves, what not (docs/evidence.md). */
export const STEPS = {
  vi: [
    ["Dạng của tệp", "Mọi byte của tệp do các phần mà ra: không gì ẩn bên cạnh.", "Ai đã viết tệp."],
    ["Bản kê", "Các phần đúng là những phần đã được ghép lại.", "Ai đã ghép: bản kê không ai ký."],
    ["Khóa", "Khi có khóa tin cậy: khóa trong tệp là khóa bạn tin.", "Khi không có khóa tin cậy: không gì cả."],
    ["Biên nhận", "Trục đã xác nhận từng điều; số ngẫu nhiên và mục trong sổ khớp nhau.", "Rằng trục nói đúng."],
    [
      "Điểm chốt",
      "Trục đã ký một cây cỡ này với gốc này, dưới tên của sổ.",
      "Rằng ai cũng được cho xem cùng một cây: những người giám sát so các điểm chốt với nhau.",
    ],
    [
      "Lá",
      "Mỗi lời xác nhận có chỗ của nó trong cây, nên không thể rút lại hay lùi ngày mà không lộ.",
      "Rằng không có biên nhận nào bị bỏ khỏi tệp.",
    ],
    [
      "Gói tin",
      "Gói tin đúng từng byte là gói trục đã nhận.",
      "Về gói gửi thêm cho nơi nhận khác: ở đây chỉ có biên nhận.",
    ],
    [
      "Trường",
      "Nơi gửi, nơi nhận, mã văn bản của gói là của biên nhận; cơ quan ban hành khi gói tự nói được.",
      "Cơ quan ban hành do danh mục của trục cho biết.",
    ],
    ["Chữ ký", "Gói tin không đổi từ khi người giữ chứng thư ký.", "Chứng thư là của ai: xem bước 12."],
    [
      "Thuộc về nhau",
      "Giao nhận và trạng thái là của văn bản này, giữa nơi gửi và các nơi nhận.",
      "Rằng không còn giao nhận, trạng thái nào khác.",
    ],
    [
      "Gói trạng thái",
      "Nơi nhận đã ký điều mà trục nói là họ báo.",
      "Về gói không có trong tệp: chỉ có biên nhận của trục.",
    ],
    [
      "Chứng thư",
      "Chứng thư của mỗi người ký còn hạn, dẫn đến gốc tin cậy và chưa bị thu hồi khi trục nhận điều đã ký.",
      "Chứng thư không dẫn đến gốc nào là của ai; khi không có dữ liệu thu hồi: rằng nó chưa bị thu hồi.",
    ],
    [
      "Dấu thời gian",
      "Biên nhận đã ở trong sổ không muộn hơn lúc ấy, theo lời nơi cấp dấu thời gian, không phải lời trục.",
      "Rằng chúng không có sớm hơn; khi không có gốc tin cậy của nơi cấp: không gì cả.",
    ],
  ],
  en: [
    ["Container", "Every byte of the file follows from its parts: nothing hides beside them.", "Who wrote it."],
    ["Manifest", "The parts are those that were put together.", "Who put them together: nobody signs it."],
    ["Keys", "With trusted keys: those of the file are the ones you trust.", "Without trusted keys: nothing."],
    ["Receipts", "The hub stated each of them; its nonce and entry belong together.", "That the hub was right."],
    [
      "Checkpoint",
      "The hub signed a tree of this size and root, under the log's name.",
      "That everybody is shown the same tree: monitors compare checkpoints.",
    ],
    [
      "Leaves",
      "Each statement stands at its place in that tree, so it cannot be withdrawn or dated back unseen.",
      "That none was left out of the file.",
    ],
    [
      "Packet",
      "The packet is byte for byte the one the hub took.",
      "Of one sent on later to more recipients: only its receipt is here.",
    ],
    [
      "Fields",
      "Sender, recipients and DocumentId of the packet are those of the receipt; the issuer where the packet tells it.",
      "An issuer that follows from the hub's directory.",
    ],
    [
      "Signature",
      "The packet is unchanged since the holder of that certificate signed it.",
      "Whose certificate it is: step 12.",
    ],
    [
      "Belonging",
      "Hand-overs and statuses are about this document, between its sender and recipients.",
      "That there were no others.",
    ],
    [
      "Acknowledgements",
      "The recipients signed what the hub says they reported.",
      "Of those not in the file: only the hub's receipt speaks.",
    ],
    [
      "Certificates",
      "Each signer's certificate was valid, led to a trusted root and was not revoked at the moment of its receipt.",
      "Whose a certificate is that leads to no root; without revocation data: that it was not revoked.",
    ],
    [
      "Timestamps",
      "The receipts stood in the log at that moment at the latest, by the word of an authority and not the hub's.",
      "That they were not there earlier; without a root of the authority that you trust: nothing.",
    ],
  ],
};
