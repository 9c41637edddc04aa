"""What documents are about: subjects as registries write them, with words as unevenly frequent as in real ones.

Every list goes from the frequent to the rare, and the n-th is drawn about 1/n as often as the first (Zipf).
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

from hub.domain.search import fold

T = TypeVar("T")


class Urn(Generic[T]):
    """Draws by weight."""

    def __init__(self, things: Sequence[T], weights: Sequence[float]) -> None:
        self._things, self._until = things, list(accumulate(weights))
        self._all = self._until[-1]

    def draw(self, chance: float) -> T:
        """``chance``: from 0 to below 1."""
        return self._things[bisect(self._until, chance * self._all)]


def zipf(things: Sequence[T], flat: float = 1.0) -> Urn[T]:
    """The first the most often; ``flat``: how little more."""
    return Urn(things, [1 / (rank + flat) for rank in range(1, len(things) + 1)])


# Type, how its symbol begins, how many of a hundred.
TYPES = (
    ("Công văn", "", 60), ("Quyết định", "QĐ", 9), ("Báo cáo", "BC", 9), ("Thông báo", "TB", 7), ("Giấy mời", "GM", 5),
    ("Tờ trình", "TTr", 4), ("Kế hoạch", "KH", 3), ("Nghị quyết", "NQ", 1), ("Công điện", "CĐ", 1),
    ("Chỉ thị", "CT", 1),
)  # fmt: skip

_OPENINGS = (
    "V/v", "V/v báo cáo", "V/v triển khai", "V/v góp ý dự thảo", "V/v tăng cường", "V/v đề nghị cung cấp thông tin",
    "V/v phối hợp", "V/v xử lý kiến nghị về", "V/v mời họp về", "V/v phê duyệt", "V/v hướng dẫn", "V/v kiểm tra",
    "V/v rà soát", "V/v trả lời kiến nghị của cử tri về", "V/v đôn đốc", "V/v điều chỉnh", "V/v thẩm định",
    "V/v công bố", "V/v bổ sung", "V/v thu hồi", "V/v gia hạn", "V/v tổng kết", "V/v khen thưởng trong",
    "V/v đính chính",
)  # fmt: skip

_TOPICS = (
    "thực hiện nhiệm vụ phát triển kinh tế - xã hội", "giải ngân vốn đầu tư công", "cải cách thủ tục hành chính",
    "công tác phòng, chống thiên tai và tìm kiếm cứu nạn", "chuyển đổi số", "kế hoạch công tác",
    "bảo đảm an toàn giao thông",
    "sắp xếp đơn vị hành chính cấp xã", "dự toán ngân sách nhà nước", "giải quyết khiếu nại, tố cáo",
    "chương trình mục tiêu quốc gia xây dựng nông thôn mới", "bồi thường, giải phóng mặt bằng", "công tác cán bộ",
    "kiểm soát thủ tục hành chính", "quản lý đất đai", "bảo vệ môi trường", "xử phạt vi phạm hành chính",
    "an toàn thực phẩm", "phòng cháy, chữa cháy", "cải cách chính sách tiền lương", "giảm nghèo bền vững",
    "bảo hiểm y tế", "tuyển dụng viên chức", "thi tốt nghiệp trung học phổ thông", "phòng, chống dịch bệnh",
    "quy hoạch tỉnh", "đầu tư xây dựng đường cao tốc", "thanh tra, kiểm tra", "tiếp công dân",
    "phòng, chống tham nhũng",
    "gửi, nhận văn bản điện tử", "cơ sở dữ liệu quốc gia về dân cư", "dịch vụ công trực tuyến", "mã định danh cơ quan",
    "nghị định về công tác văn thư", "chữ ký số chuyên dùng công vụ", "thu ngân sách nhà nước", "quản lý giá",
    "cấp giấy chứng nhận quyền sử dụng đất", "nhà ở xã hội", "thị trường bất động sản", "xuất nhập khẩu",
    "phát triển thương mại điện tử", "khoáng sản làm vật liệu xây dựng thông thường", "cấp nước sạch nông thôn",
    "bảo vệ và phát triển rừng", "chống khai thác hải sản bất hợp pháp", "thủy lợi", "dịch tả lợn châu Phi",
    "hỗ trợ người lao động", "bảo trợ xã hội", "người có công với cách mạng", "trẻ em và bình đẳng giới",
    "giáo dục nghề nghiệp", "thiết bị dạy học", "sách giáo khoa", "tự chủ đại học", "khám bệnh, chữa bệnh",
    "mua sắm thuốc và vật tư y tế", "dân số và phát triển", "di sản văn hóa", "phát triển du lịch", "lễ hội",
    "thể dục, thể thao", "báo chí và xuất bản", "an ninh mạng", "an toàn thông tin mạng", "viễn thông và tần số",
    "khoa học, công nghệ và đổi mới sáng tạo", "sở hữu trí tuệ", "tiêu chuẩn, đo lường, chất lượng",
    "năng lượng tái tạo",
    "điện lực", "quản lý thị trường", "chống buôn lậu và gian lận thương mại", "hội nhập kinh tế quốc tế",
    "đối ngoại nhân dân", "biên giới lãnh thổ quốc gia", "công tác dân tộc", "tín ngưỡng, tôn giáo",
    "thi hành án dân sự",
    "trợ giúp pháp lý", "hộ tịch, quốc tịch, chứng thực", "lý lịch tư pháp", "phổ biến, giáo dục pháp luật",
    "nghĩa vụ quân sự", "giáo dục quốc phòng và an ninh", "cư trú", "phòng, chống ma túy", "phòng, chống mua bán người",
    "đường sắt tốc độ cao", "cảng biển", "hàng không", "đăng kiểm", "đường thủy nội địa",
    "kiến trúc và quy hoạch đô thị",
    "cấp nước đô thị", "chất thải rắn sinh hoạt", "biến đổi khí hậu", "khí tượng thủy văn", "đo đạc bản đồ",
    "kinh tế tập thể, hợp tác xã", "doanh nghiệp nhỏ và vừa", "cổ phần hóa doanh nghiệp nhà nước", "đấu thầu qua mạng",
    "nợ công", "dự trữ quốc gia", "hải quan", "chứng khoán", "bảo hiểm nông nghiệp", "tín dụng chính sách", "lãi suất",
    "lưu trữ lịch sử", "thi đua, khen thưởng", "hội quần chúng", "công tác thanh niên", "địa giới hành chính",
    "nghĩa trang liệt sĩ", "khai quật khảo cổ", "nuôi yến", "đèn biển", "tem bưu chính", "hóa thạch",
    "cầu treo dân sinh",
)  # fmt: skip

_TAILS = (
    "", "", "", "năm 2026", "năm 2025", "quý III năm 2026", "quý IV năm 2026", "giai đoạn 2026 - 2030",
    "tháng 10 năm 2026",
    "theo chỉ đạo của Thủ tướng Chính phủ", "theo Công điện của Thủ tướng Chính phủ", "sáu tháng đầu năm",
    "trước kỳ họp Quốc hội", "dịp Tết Nguyên đán", "trong mùa mưa bão", "theo Kết luận thanh tra", "(lần 2)",
    "(hỏa tốc)",
)  # fmt: skip

_FIRST = (
    "Tân", "An", "Hòa", "Vĩnh", "Phú", "Bình", "Long", "Đông", "Thạnh", "Mỹ", "Xuân", "Hưng", "Yên", "Quảng", "Thanh",
    "Nam", "Bắc", "Trung", "Đại", "Nghĩa", "Phước", "Lộc", "Sơn", "Hải", "Kim", "Minh", "Cẩm", "Thượng", "Hạ", "Tiên",
    "Diễn", "Quỳnh", "Nghi", "Hồng", "Ngọc", "Thạch", "Trà", "Ea", "Đắk", "Mường", "Nậm", "Pà", "Chiềng", "Tà", "Krông",
)  # fmt: skip
_SECOND = (
    "Phú", "Lập", "Hòa", "Thành", "Sơn", "Bình", "Lộc", "An", "Long", "Thịnh", "Hưng", "Tiến", "Mỹ", "Hải", "Giang",
    "Phong", "Lâm", "Trạch", "Thủy", "Châu", "Điền", "Khê", "Lĩnh", "Trung", "Đông", "Tây", "Nam", "Hiệp", "Thuận",
    "Xuân", "Yên", "Đức", "Tâm", "Quang", "Minh", "Thọ", "Kiều", "Ngãi", "Hội", "Khánh", "Cường", "Bảng", "Tràng",
)  # fmt: skip


def communes(count: int) -> list[str]:
    """Names of so many; some are of several, as in earnest."""
    names = [f"{first} {second}" for first in _FIRST for second in _SECOND if first != second]
    step = 787  # with no common divisor: neighbours do not sound alike
    return [names[n * step % len(names)] for n in range(count)]


def _with_folded(texts: Sequence[str]) -> list[tuple[str, str]]:
    return [(text, fold(text)) for text in texts]


class Subjects:
    """Subjects with their text for searching. ``chance``: gives a number from 0 to below 1."""

    def __init__(self, places: Sequence[str], chance: Callable[[], float]) -> None:
        self._openings, self._topics = zipf(_with_folded(_OPENINGS)), zipf(_with_folded(_TOPICS), 4)
        self._tails, self._places = zipf(_with_folded(_TAILS), 6), zipf(_with_folded(places), 20)
        self._chance = chance

    def draw(self) -> tuple[str, str]:
        chance = self._chance
        opening, opening_folded = self._openings.draw(chance())
        topic, topic_folded = self._topics.draw(chance())
        text, folded = f"{opening} {topic}", f"{opening_folded} {topic_folded}"
        if chance() < 0.35:
            place, place_folded = self._places.draw(chance())
            text, folded = f"{text} tại xã {place}", f"{folded} tai xa {place_folded}"
        tail, tail_folded = self._tails.draw(chance())
        return (f"{text} {tail}", f"{folded} {tail_folded}") if tail else (text, folded)
