/// Commands Supported and Effects, log page 05h: 4096 bytes, one word for each opcode (NVMe base 2.0, 5.16.1).
public struct CommandsSupportedAndEffectsLog: Equatable, Sendable {
  /// The size of the structure in bytes.
  public static let byteCount = 4096

  var image: ByteImage

  /// Makes a structure of zeros.
  public init() { image = ByteImage(byteCount: Self.byteCount) }

  /// Reads a structure; nil if `bytes` are fewer than ``byteCount``.
  public init?(decoding bytes: some Collection<UInt8>) {
    guard let image = ByteImage(decoding: bytes, byteCount: Self.byteCount) else { return nil }
    self.image = image
  }

  /// The structure's 4096 bytes.
  public func encode() -> [UInt8] { image.bytes }

  /// The effects of admin command `opcode` (ACS).
  public subscript(admin opcode: UInt8) -> CommandEffects {
    get { image[options: 4 * Int(opcode)] }
    set { image[options: 4 * Int(opcode)] = newValue }
  }

  /// The effects of I/O command `opcode` (IOCS).
  public subscript(io opcode: UInt8) -> CommandEffects {
    get { image[options: 1024 + 4 * Int(opcode)] }
    set { image[options: 1024 + 4 * Int(opcode)] = newValue }
  }
}

/// What a command does beside its purpose (NVMe base 2.0, 5.16.1, Commands Supported and Effects Data Structure).
@frozen public struct CommandEffects: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt32

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// CSUPP: the command is supported.
  @inlinable public static var supported: Self { Self(rawValue: 1 << 0) }

  /// LBCC: the command may change the content of logical blocks.
  @inlinable public static var logicalBlockContentChange: Self { Self(rawValue: 1 << 1) }

  /// NCC: the command may change the capabilities of a namespace.
  @inlinable public static var namespaceCapabilityChange: Self { Self(rawValue: 1 << 2) }

  /// NIC: the command may change which namespaces there are.
  @inlinable public static var namespaceInventoryChange: Self { Self(rawValue: 1 << 3) }

  /// CCC: the command may change the capabilities of the controller.
  @inlinable public static var controllerCapabilityChange: Self { Self(rawValue: 1 << 4) }

  /// CSE 001b: submitted only with no other command to the same namespace.
  @inlinable public static var exclusiveToNamespace: Self { Self(rawValue: 1 << 16) }

  /// CSE 010b: submitted only with no other command to any namespace.
  @inlinable public static var exclusiveToAllNamespaces: Self { Self(rawValue: 2 << 16) }

  /// UUID Selection Supported.
  @inlinable public static var uuidSelection: Self { Self(rawValue: 1 << 19) }
}
