"""Settings in force."""

TEXTS: dict[str, tuple[str, str]] = {
    "settings.nav": ("Cài đặt", "Settings"),
    "settings.title": ("Cài đặt đang dùng", "Settings in force"),
    "settings.note": (
        "Đọc khi trục khởi động; đổi bằng biến môi trường rồi khởi động lại.",
        "Read when the hub starts; changed by environment variables and a new start.",
    ),
    "settings.name": ("Cài đặt", "Setting"),
    "settings.value": ("Giá trị", "Value"),
    "settings.meaning": ("Ý nghĩa và đơn vị", "Meaning and unit"),
    "settings.changed": ("đã đặt", "set"),
    "settings.secret": ("có, không hiển thị", "there is one, never shown"),
    "settings.empty": ("trống", "empty"),
}
