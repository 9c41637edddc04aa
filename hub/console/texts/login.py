"""Signing in."""

TEXTS: dict[str, tuple[str, str]] = {
    "login.title": ("Đăng nhập trang vận hành", "Sign in to the console"),
    "login.name": ("Tên", "Name"),
    "login.password": ("Mật khẩu", "Password"),
    "login.enter": ("Đăng nhập", "Sign in"),
    "login.hours": (
        "Phiên tự kết thúc sau 30 phút không dùng, và muộn nhất sau 12 giờ.",
        "A session ends after 30 minutes without use, and after 12 hours at the latest.",
    ),
    "login.link": (
        "Liên kết này cho đăng nhập một lần, không cần mật khẩu.",
        "This link lets you in once, without a password.",
    ),
    "login.closed": ("Chưa có người vận hành nào.", "There is no operator yet."),
    "login.closed_how": (
        "Trang này đóng cho đến khi có tài khoản. Trên máy chủ của trục, chạy lệnh sau:",
        "These pages are closed until there is an account. On the hub's machine, run:",
    ),
}
