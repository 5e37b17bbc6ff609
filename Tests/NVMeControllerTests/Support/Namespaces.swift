import NVMeController
import Storage
import Testing

extension Namespace {
  /// A namespace with made-up identifiers.
  convenience init(_ backend: BlockBackend, discards: Bool = true) {
    self.init(
      backend: backend, nguid: (0..<16).map { 0xa0 + $0 }, uuid: (0..<16).map { 0xc0 + $0 },
      eui64: (0..<8).map { 0xe0 + $0 }, discards: discards)
  }

  static func memory(
    _ size: UInt64 = 1 << 20, _ blockSize: LogicalBlockSize = .bytes512, isReadOnly: Bool = false
  ) throws -> Namespace {
    Namespace(try BlockBackend(memory: size, logicalBlockSize: blockSize, readOnly: isReadOnly))
  }

  static func null(_ size: UInt64 = 1 << 20, _ blockSize: LogicalBlockSize = .bytes512) throws -> Namespace {
    Namespace(try BlockBackend(null: size, logicalBlockSize: blockSize))
  }
}

/// What a namespace is kept in, for tests that run on all of them.
struct Medium: Sendable, CustomTestStringConvertible {
  enum Kind: Sendable { case memory, null, file }

  let kind: Kind
  let blockSize: LogicalBlockSize

  var testDescription: String { "\(kind), \(blockSize.rawValue)" }

  static let all: [Medium] = [Kind.memory, .null, .file].flatMap { kind in
    LogicalBlockSize.allCases.map { Medium(kind: kind, blockSize: $0) }
  }
  /// Those that keep data.
  static var keeping: [Medium] { all.filter { $0.kind != .null } }

  /// A namespace of `blocks` blocks, and the image where there is one: it is to be kept as long as the namespace.
  func namespace(blocks: Int, gate: Gate? = nil) throws -> (namespace: Namespace, image: TestImage?) {
    let size = blocks * blockSize.rawValue
    switch kind {
    case .memory: return (try .memory(UInt64(size), blockSize), nil)
    case .null: return (try .null(UInt64(size), blockSize), nil)
    case .file:
      let image = try TestImage(size: size)
      return (Namespace(try image.backend(blockSize: blockSize, gate: gate)), image)
    }
  }
}
