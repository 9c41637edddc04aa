"""Actions on deliveries."""

TEXTS: dict[str, tuple[str, str]] = {
    "actions.nav": ("Xử lý bản chuyển", "Actions on deliveries"),
    "actions.title": ("Xử lý bản chuyển", "Actions on deliveries"),
    "actions.note": (
        "Chọn bản chuyển trong nhật ký chuyển hoặc ở trang văn bản; ở đây là những lần đã làm, mới nhất trước.",
        "Deliveries are chosen in the delivery log or on a document's page; here is what was done, newest first.",
    ),
    "actions.none": ("Chưa có lần xử lý nào.", "Nothing was done yet."),
    "actions.to_log": ("Đến nhật ký chuyển", "To the delivery log"),
    "actions.back": ("Thôi, không làm gì", "Do nothing"),
    "actions.all_runs": ("Các lần xử lý", "All actions"),
    # The four actions.
    "actions.release": ("Nhả quyền giữ", "Release leases"),
    "actions.again": ("Giao lại", "Deliver again"),
    "actions.extend": ("Gia hạn", "Extend the expiry"),
    "actions.undeliverable": ("Báo không giao được", "Mark undeliverable"),
    "actions.release.when": (
        "Nơi nhận đã giữ mà không lấy tiếp, ví dụ phần mềm của họ bị dừng.",
        "The recipient holds it and does not go on, for instance because its software has stopped.",
    ),
    "actions.again.when": (
        "Bản chuyển không giao được hoặc đã quá hạn, nay nơi nhận nhận được.",
        "The delivery failed or expired, and the recipient can take it now.",
    ),
    "actions.extend.when": (
        "Nơi nhận cần thêm thời gian; bản đã quá hạn sẽ chờ lại.",
        "The recipient needs more time; what has expired waits again.",
    ),
    "actions.undeliverable.when": (
        "Chắc chắn nơi nhận không bao giờ lấy; nơi gửi cần biết để gửi cách khác.",
        "The recipient will surely never fetch it; the sender must know, to send it in another way.",
    ),
    "actions.release.what": (
        "Quyền giữ kết thúc ngay. Bản chuyển lại nằm trong danh sách chờ của nơi nhận, ai đang giữ không xác nhận được"
        " bằng quyền giữ cũ. Lý do chỉ ghi vào nhật ký thao tác.",
        "The leases end at once. The deliveries wait for their recipients again, and whoever holds one cannot confirm"
        " it by the old lease. The reason is kept in the audit alone.",
    ),
    "actions.again.what": (
        "Mỗi bản chuyển đi lại đúng đường như lần đầu: chờ ở hệ thống gần nơi nhận nhất hiện nay, với đủ thời hạn"
        " (30 ngày, khẩn 3 ngày). Nơi gửi được báo là đang chờ lại. Lý do chỉ ghi vào nhật ký thao tác.",
        "Each delivery goes the same way as the first time: it waits at the system that is nearest to its recipient"
        " now, with all its time (30 days, urgent ones 3). The sender is told that it waits again. The reason is kept"
        " in the audit alone.",
    ),
    "actions.extend.what": (
        "Bản chuyển chờ đến hết ngày {day}. Bản đã quá hạn chờ lại và nơi gửi được báo. Lý do chỉ ghi vào nhật ký"
        " thao tác.",
        "The deliveries wait until the end of {day}. What has expired waits again, and its sender is told. The reason"
        " is kept in the audit alone.",
    ),
    "actions.undeliverable.what": (
        "Bản chuyển kết thúc là không giao được và nơi gửi được báo ngay. Nơi gửi và nơi nhận đều đọc được lý do bạn"
        " ghi. Nếu sau này nơi nhận vẫn xác nhận, bản chuyển thành đã giao.",
        "The deliveries end as failed, and their senders are told at once. Senders and recipients can read the reason"
        " you write. Should a recipient confirm one after all, it counts as delivered.",
    ),
    # Choosing.
    "actions.choose": ("Làm gì với {n} bản chuyển?", "What is to be done with {n} deliveries?"),
    "actions.choose_note": (
        "Chưa thay đổi gì: bước sau cho xem kỹ rồi mới hỏi lý do.",
        "Nothing is changed yet: the next step shows what will happen, and asks for the reason.",
    ),
    "actions.fits": ("{n} trên {found} {can}", "{n} of {found} {can}"),
    "actions.fits_none": ("Không bản nào trong số này làm được.", "Possible for none of these."),
    "actions.view": ("Xem trước", "Look first"),
    "actions.until": ("Đến hết ngày", "Until the end of"),
    "actions.until_hint": ("Trong vòng 90 ngày.", "Within 90 days."),
    # The count.
    "actions.can.release": ("nhả được", "can be released"),
    "actions.can.again": ("giao lại được", "can be delivered again"),
    "actions.can.extend": ("gia hạn được", "can be extended"),
    "actions.can.undeliverable": ("có thể báo không giao được", "can be marked undeliverable"),
    "actions.count": (
        "Tìm thấy {found} bản chuyển: {fit} {can}, {unfit} không.",
        "{found} deliveries found: {fit} {can}; {unfit} cannot.",
    ),
    "actions.count_all": (
        "Tìm thấy {found} bản chuyển, tất cả đều {can}.",
        "{found} deliveries found; all of them {can}.",
    ),
    "actions.count_none": (
        "Tìm thấy {found} bản chuyển, không bản nào {can}.",
        "{found} deliveries found; none of them {can}.",
    ),
    "actions.cannot": ("Để nguyên", "Left as they are"),
    "actions.to_do": ("Sẽ làm", "To be done"),
    "actions.some": ("{n} bản chuyển đầu", "The first {n}"),
    "actions.what": ("Điều sẽ xảy ra", "What will happen"),
    "actions.do.release": ("Nhả {n} bản chuyển", "Release {n} deliveries"),
    "actions.do.again": ("Giao lại {n} bản chuyển", "Deliver {n} again"),
    "actions.do.extend": ("Gia hạn {n} bản chuyển", "Extend {n} deliveries"),
    "actions.do.undeliverable": ("Báo không giao được {n} bản chuyển", "Mark {n} undeliverable"),
    # A run.
    "actions.run": ("{action}: {n} bản chuyển", "{action}: {n} deliveries"),
    "actions.going": (
        "Đang làm: {place} trên {total}. Có thể đóng trang này, trục tự làm tiếp.",
        "Under way: {place} of {total}. You may close this page; the hub goes on by itself.",
    ),
    "actions.look_again": ("Xem lại tiến độ", "Look at the progress again"),
    "actions.ended_all": ("Đã làm xong cả {done} bản chuyển.", "All {done} deliveries are done."),
    "actions.ended_some": (
        "Đã làm {done} bản chuyển; {left} để nguyên vì đã khác đi từ lúc xem.",
        "{done} deliveries are done; {left} were left, since they had changed after the look.",
    ),
    "actions.stop": ("Dừng lại…", "Stop…"),
    "actions.stop_note": (
        "Những bản đã làm giữ nguyên như đã làm. Những bản chưa đến lượt được để nguyên và ghi là đã dừng.",
        "What is done stays done. What has not had its turn is left as it is, and told as stopped.",
    ),
    "actions.stop_now": ("Dừng lại", "Stop"),
    "actions.ended_stopped": (
        "Đã dừng lại: {done} bản chuyển đã làm, {left} để nguyên.",
        "Stopped: {done} deliveries are done, {left} were left as they are.",
    ),
    "actions.stopped_by": ("Người dừng", "Stopped by"),
    "actions.stopped_why": ("Lý do dừng", "Why it was stopped"),
    "actions.by": ("Người làm", "By"),
    "actions.at": ("Lúc", "At"),
    "actions.reason": ("Lý do", "Reason"),
    "actions.query": ("Tìm kiếm", "Search"),
    "actions.number": ("Số bản chuyển", "Deliveries"),
    "actions.done": ("Đã làm", "Done"),
    "actions.left": ("Để nguyên", "Left"),
    "actions.outcome": ("Kết quả", "Outcome"),
    "actions.outcome.done": ("Đã làm", "Done"),
    "actions.outcome.next": ("Chưa đến lượt", "To come"),
    "actions.action": ("Việc", "Action"),
    "actions.document": ("Văn bản", "Document"),
    "actions.recipient": ("Nơi nhận", "Recipient"),
    "actions.state": ("Tình trạng", "State"),
    "actions.why": ("Vì sao", "Why"),
    "actions.only_left": ("Chỉ những bản để nguyên", "Only those left"),
    "actions.everything": ("Tất cả", "All"),
    "actions.unknown": ("Không có bản chuyển này", "There is no such delivery"),
}
