import CLinux
import Testing

@testable import Sandbox

/// What a filter sees of a system call (`struct seccomp_data`).
struct FilterInput {
  var number: Int32
  var architecture: UInt32 = CLINUX_AUDIT_ARCH
  var arguments: [UInt64] = []

  init(_ number: Int32, _ arguments: [Int] = []) {
    self.number = number
    self.arguments = arguments.map { UInt64(bitPattern: Int64($0)) }
  }

  /// The 32 bits at an offset.
  fileprivate func word(_ offset: UInt32) -> UInt32? {
    switch offset {
    case 0: return UInt32(bitPattern: number)
    case 4: return architecture
    case 16..<64 where offset % 4 == 0:
      let index = Int(offset - 16) / 8
      let argument = index < arguments.count ? arguments[index] : 0
      return UInt32(truncatingIfNeeded: offset % 8 == 0 ? argument : argument >> 32)
    default: return nil
    }
  }
}

/// Runs classic BPF as the kernel does, as far as filters use it.
func runFilter(_ program: [sock_filter], to input: FilterInput) throws -> UInt32 {
  var accumulator: UInt32 = 0
  var next = 0
  while next < program.count {
    let instruction = program[next]
    next += 1
    switch try #require(FilterAssembler.Opcode(rawValue: instruction.code)) {
    case .load: accumulator = try #require(input.word(instruction.k))
    case .and: accumulator &= instruction.k
    case .jumpIfEqual: next += Int(accumulator == instruction.k ? instruction.jt : instruction.jf)
    case .jumpIfAtLeast: next += Int(accumulator >= instruction.k ? instruction.jt : instruction.jf)
    case .answer: return instruction.k
    }
  }
  throw FilterFault()
}

/// The program went behind its end: the kernel would have refused it.
struct FilterFault: Error {}
