import LinuxIO

/// MIG_DATA_READ and MIG_DATA_WRITE: a piece of the stream of device state.
///
/// A reply to a read with less data than was asked for is the end of the stream for now. The reply to a write is a
/// header alone.
public enum MigrationData {
  /// Bytes of the struct before the data.
  public static let size = 8

  /// How many bytes a MIG_DATA_READ asks for.
  ///
  /// - Throws: `EINVAL` for a payload that is not the struct, an `argsz` below it, or more than 1 MiB.
  static func readCount(decoding payload: Span<UInt8>) throws(Errno) -> Int {
    guard payload.count == size else { throw .invalidArgument }
    return try head(payload)
  }

  /// The data of a MIG_DATA_WRITE, or of the reply to a MIG_DATA_READ.
  ///
  /// - Throws: `EINVAL` where the payload is not exactly as long as its data, an `argsz` below the struct, or more than
  ///   1 MiB.
  static func data(decoding payload: Span<UInt8>) throws(Errno) -> [UInt8] {
    guard payload.count - size == (try head(payload)) else { throw .invalidArgument }
    return payload.copy(from: size)
  }

  /// Appends a MIG_DATA_READ.
  static func encodeRead(count: Int, to bytes: inout [UInt8]) {
    bytes.append(integer: UInt32(truncatingIfNeeded: size + count))
    bytes.append(integer: UInt32(truncatingIfNeeded: count))
  }

  /// Appends a MIG_DATA_WRITE, or the reply to a MIG_DATA_READ.
  static func encode(_ data: [UInt8], to bytes: inout [UInt8]) {
    encodeRead(count: data.count, to: &bytes)
    bytes += data
  }

  private static func head(_ payload: Span<UInt8>) throws(Errno) -> Int {
    let argumentSize: UInt32 = try payload.integer(at: 0)
    let count: UInt32 = try payload.integer(at: 4)
    guard argumentSize >= size, count <= Limits.dataTransfer else { throw .invalidArgument }
    return Int(count)
  }
}
