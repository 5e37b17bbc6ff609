/// VS: the version of the standard, in the register and in Identify (NVMe base 2.0, 3.1.3.2).
@frozen public struct Version: RawRepresentable, Equatable, Comparable, Sendable, CustomStringConvertible {
  /// Major in bits 31:16, minor in bits 15:8, tertiary in bits 7:0.
  public let rawValue: UInt32

  /// Wraps the register.
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Makes a version of its three numbers.
  @inlinable public init(_ major: UInt16, _ minor: UInt8, _ tertiary: UInt8 = 0) {
    rawValue = UInt32(major) << 16 | UInt32(minor) << 8 | UInt32(tertiary)
  }

  /// MJR: the major number.
  @inlinable public var major: UInt16 { UInt16(truncatingIfNeeded: rawValue &>> 16) }
  /// MNR: the minor number.
  @inlinable public var minor: UInt8 { UInt8(truncatingIfNeeded: rawValue &>> 8) }
  /// TER: the tertiary number.
  @inlinable public var tertiary: UInt8 { UInt8(truncatingIfNeeded: rawValue) }

  /// Whether `left` is the older one.
  @inlinable public static func < (left: Version, right: Version) -> Bool { left.rawValue < right.rawValue }

  /// The numbers with dots, as "1.4" or "1.2.1".
  public var description: String { tertiary == 0 ? "\(major).\(minor)" : "\(major).\(minor).\(tertiary)" }

  /// NVMe 1.1.
  @inlinable public static var v1dot1: Version { Version(1, 1) }
  /// NVMe 1.2.
  @inlinable public static var v1dot2: Version { Version(1, 2) }
  /// NVMe 1.2.1.
  @inlinable public static var v1dot2dot1: Version { Version(1, 2, 1) }
  /// NVMe 1.3.
  @inlinable public static var v1dot3: Version { Version(1, 3) }
  /// NVMe 1.4.
  @inlinable public static var v1dot4: Version { Version(1, 4) }
  /// NVMe 2.0.
  @inlinable public static var v2dot0: Version { Version(2, 0) }
}
