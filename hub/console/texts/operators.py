"""The accounts of operators."""

TEXTS: dict[str, tuple[str, str]] = {
    "operators.nav": ("Người vận hành", "Operators"),
    "operators.title": ("Người vận hành", "Operators"),
    "operators.name": ("Tên", "Name"),
    "operators.name_hint": ("Chữ, số và . _ - @; hoa thường như nhau.", "Letters, digits and . _ - @; case is one."),
    "operators.role": ("Vai trò", "Role"),
    "operators.password": ("Mật khẩu", "Password"),
    "operators.password_hint": ("Ít nhất 12 ký tự; nên là một câu dễ nhớ.", "At least 12 characters; best a sentence."),
    "operators.password_again": ("Nhập lại mật khẩu", "Password again"),
    "operators.sessions": ("Phiên đang mở", "Open sessions"),
    "operators.seen": ("Dùng lần cuối", "Last used"),
    "operators.added": ("Thêm lúc", "Added"),
    "operators.you": ("bạn", "you"),
    "operators.change": ("Thay đổi", "Change"),
    "operators.change_of": ("Thay đổi {name}", "Change {name}"),
    "operators.add": ("Thêm người vận hành", "Add an operator"),
    "operators.do_add": ("Thêm", "Add"),
    "operators.do_role": ("Đổi vai trò", "Change the role"),
    "operators.do_password": ("Đặt mật khẩu", "Set the password"),
    "operators.do_sessions": ("Kết thúc các phiên", "End the sessions"),
    "operators.do_remove": ("Xóa tài khoản", "Remove the account"),
    "operators.done": ("Đã làm xong.", "Done."),
    "operators.may": ("Mỗi vai trò được làm gì", "What each role may do"),
    "operators.may.viewer": (
        "Xem mọi trang, xuất dữ liệu.",
        "See all pages, export data.",
    ),
    "operators.may.operator": (
        "Thêm: can thiệp bản chuyển, khóa hệ thống.",
        "Besides: steer deliveries, lock systems.",
    ),
    "operators.may.administrator": (
        "Thêm: ghi danh hệ thống, quản lý người vận hành.",
        "Besides: enrol systems, manage operators.",
    ),
}
