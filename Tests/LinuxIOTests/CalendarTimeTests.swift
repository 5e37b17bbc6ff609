import Glibc
import LinuxIO
import Testing

@Suite struct CalendarTimeTests {
  @Test(
    arguments: [
      (0, "1970-1-1 0:0:0"), (951_827_696, "2000-2-29 12:34:56"), (1_795_996_799, "2026-11-29 23:59:59"),
      (4_102_444_800, "2100-1-1 0:0:0"),
    ] as [(UInt64, String)]) func momentsInUTC(seconds: UInt64, expected: String)
  {
    let time = CalendarTime(utc: seconds * 1_000_000_000 + 999_999_999)
    let text = "\(time.year)-\(time.month)-\(time.day) \(time.hour):\(time.minute):\(time.second)"
    #expect(text == expected)
  }

  @Test func localTimeIsThatOfTheZone() {
    let now = Clock.realtime
    var seconds = time_t(now / 1_000_000_000)
    var parts = tm()
    localtime_r(&seconds, &parts)
    let time = CalendarTime(local: now)
    #expect(time.hour == parts.tm_hour && time.minute == parts.tm_min && time.day == parts.tm_mday)
  }
}
