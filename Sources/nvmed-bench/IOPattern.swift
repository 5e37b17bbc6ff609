import ArgumentParser
import NVMeSpec

/// How commands follow each other: fio's names.
enum IOPattern: String, EnumerableFlag {
  case read, write, randread, randwrite

  static func help(for value: IOPattern) -> ArgumentHelp? {
    switch value {
    case .read: "Read one block after the other."
    case .write: "Write one block after the other."
    case .randread: "Read blocks at random."
    case .randwrite: "Write blocks at random."
    }
  }

  var isRandom: Bool { self == .randread || self == .randwrite }
  var opcode: NVMOpcode { self == .read || self == .randread ? .read : .write }
}
