/// A date of the Gregorian calendar, a time of the day, or both, as RFC 3339 has them.
public struct TOMLDateTime: Sendable, Equatable {
  /// A day.
  public struct Date: Sendable, Equatable {
    /// The year, 0 to 9999.
    public let year: Int
    /// The month, 1 to 12.
    public let month: Int
    /// The day, from 1 to the last of its month.
    public let day: Int

    /// A day.
    public init(year: Int, month: Int, day: Int) {
      self.year = year
      self.month = month
      self.day = day
    }
  }

  /// A time of the day.
  public struct Time: Sendable, Equatable {
    /// The hour, 0 to 23.
    public let hour: Int
    /// The minute, 0 to 59.
    public let minute: Int
    /// The second, 0 to 60: 60 is a leap second.
    public let second: Int
    /// The fraction of the second; digits beyond the ninth are cut off.
    public let nanosecond: Int

    /// A time of the day.
    public init(hour: Int, minute: Int, second: Int, nanosecond: Int = 0) {
      self.hour = hour
      self.minute = minute
      self.second = second
      self.nanosecond = nanosecond
    }
  }

  /// The day; `nil` for a local time.
  public let date: Date?
  /// The time of the day; `nil` for a local date.
  public let time: Time?
  /// Minutes east of UTC; `nil` for a local date, time, or both.
  public let offset: Int?

  /// A date, a time, or both.
  public init(date: Date? = nil, time: Time? = nil, offset: Int? = nil) {
    self.date = date
    self.time = time
    self.offset = offset
  }
}
