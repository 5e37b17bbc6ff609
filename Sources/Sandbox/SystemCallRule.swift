/// Which calls of one system call are allowed.
struct SystemCallRule: Equatable, Sendable {
  /// The number of this architecture (`SYS_*`).
  let number: UInt32
  /// What must hold for the arguments; all of it. Empty: every call is allowed.
  let conditions: [ArgumentCondition]
  /// What a call gives for which the conditions do not hold: nil is what the filter does with other system calls.
  let otherwise: FilterAction?

  /// A rule of the given parts.
  init(_ number: Int32, _ conditions: [ArgumentCondition] = [], otherwise: FilterAction? = nil) {
    self.number = UInt32(bitPattern: number)
    self.conditions = conditions
    self.otherwise = otherwise
  }

  /// A system call that no argument makes allowed.
  static func never(_ number: Int32, _ action: FilterAction) -> SystemCallRule {
    SystemCallRule(number, [.isOne(of: [], argument: 0)], otherwise: action)
  }
}

/// What must hold for one argument. The low 32 bits are looked at: the kernel takes what is tested here as `int`, or
/// has its flags there.
struct ArgumentCondition: Equatable, Sendable {
  /// Which argument, 0 to 5.
  let argument: Int
  /// The bits that are compared.
  let mask: UInt32
  /// What these bits may be.
  let values: [UInt32]

  /// The argument is one of the values.
  static func isOne(of values: [Int], argument: Int) -> ArgumentCondition {
    ArgumentCondition(argument: argument, mask: .max, values: values.map { UInt32(truncatingIfNeeded: $0) })
  }

  /// No bit of `flags` is set in the argument.
  static func hasNone(of flags: Int, argument: Int) -> ArgumentCondition {
    ArgumentCondition(argument: argument, mask: UInt32(truncatingIfNeeded: flags), values: [0])
  }

  /// All bits of `flags` are set in the argument, and none of `others`.
  static func hasAll(of flags: Int, noneOf others: Int, argument: Int) -> ArgumentCondition {
    ArgumentCondition(
      argument: argument, mask: UInt32(truncatingIfNeeded: flags | others),
      values: [UInt32(truncatingIfNeeded: flags)])
  }
}

/// What a filter answers (`SECCOMP_RET_*`).
enum FilterAction: Equatable, Sendable {
  /// The call is done.
  case allow
  /// It is done, and the kernel logs it.
  case log
  /// It fails with this `errno`.
  case fail(Int32)
  /// The process ends, as by SIGSYS.
  case killProcess

  /// The value of the filter.
  var rawValue: UInt32 {
    switch self {
    case .allow: 0x7fff_0000
    case .log: 0x7ffc_0000
    case .fail(let number): 0x0005_0000 | UInt32(bitPattern: number) & 0xffff
    case .killProcess: 0x8000_0000
    }
  }
}
