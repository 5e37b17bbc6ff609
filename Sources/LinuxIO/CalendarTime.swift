import Glibc

/// A moment as a calendar and a clock on the wall have it.
public struct CalendarTime: Sendable, Equatable {
  /// As in 2026.
  public let year: Int32
  /// 1 to 12.
  public let month: Int32
  /// 1 to 31.
  public let day: Int32
  /// 0 to 23.
  public let hour: Int32
  /// 0 to 59.
  public let minute: Int32
  /// 0 to 60.
  public let second: Int32

  /// A moment in the time zone of the process.
  ///
  /// - Parameter nanoseconds: since 1970, as of `Clock.realtime`.
  public init(local nanoseconds: UInt64) {
    unsafe self.init(nanoseconds) { unsafe localtime_r(&$0, &$1) != nil }
  }

  /// A moment in UTC.
  ///
  /// - Parameter nanoseconds: since 1970, as of `Clock.realtime`.
  public init(utc nanoseconds: UInt64) {
    unsafe self.init(nanoseconds) { unsafe gmtime_r(&$0, &$1) != nil }
  }

  private init(_ nanoseconds: UInt64, _ convert: (inout time_t, inout tm) -> Bool) {
    var seconds = time_t(truncatingIfNeeded: nanoseconds / 1_000_000_000)
    var parts = unsafe tm()
    _ = unsafe convert(&seconds, &parts)
    year = unsafe parts.tm_year + 1900
    month = unsafe parts.tm_mon + 1
    day = unsafe parts.tm_mday
    hour = unsafe parts.tm_hour
    minute = unsafe parts.tm_min
    second = unsafe parts.tm_sec
  }
}
