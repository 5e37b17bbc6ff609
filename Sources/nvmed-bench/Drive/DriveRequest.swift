/// A line of `nvmed-bench drive`.
enum DriveRequest: Equatable {
  /// What is sent to the controller.
  enum Command: Equatable {
    case read(lba: UInt64, blocks: Int)
    case write(lba: UInt64, blocks: Int, version: UInt64, isForced: Bool)
    case zero(lba: UInt64, blocks: Int)
    case discard(lba: UInt64, blocks: Int)
    case flush
  }

  case execute(Command)
  case start(Command)
  case wait(seconds: Int)
  case errors
  /// The newest entries of the error log.
  case log(count: Int)
  case reset

  /// Blocks of one command at most.
  static let blockLimit = 65_536

  /// Nil for what is no request.
  init?(_ line: String) {
    let words = line.split(separator: " ")
    switch words.first {
    case "start":
      guard let command = Command(words.dropFirst()) else { return nil }
      self = .start(command)
    case "wait":
      guard words.count == 2, let seconds = Int(words[1]), (0...86_400).contains(seconds) else { return nil }
      self = .wait(seconds: seconds)
    case "log":
      guard words.count == 2, let count = Int(words[1]), (1...64).contains(count) else { return nil }
      self = .log(count: count)
    case "errors" where words.count == 1: self = .errors
    case "reset" where words.count == 1: self = .reset
    default:
      guard let command = Command(words[...]) else { return nil }
      self = .execute(command)
    }
  }
}

extension DriveRequest.Command {
  /// Nil for what is no command.
  init?(_ words: ArraySlice<Substring>) {
    guard let name = words.first else { return nil }
    if name == "flush", words.count == 1 {
      self = .flush
      return
    }
    let numbers = words.dropFirst().compactMap { UInt64($0) }
    guard numbers.count == words.count - 1, numbers.count >= 2,
      (1...DriveRequest.blockLimit).contains(Int(clamping: numbers[1]))
    else { return nil }
    let (lba, blocks) = (numbers[0], Int(clamping: numbers[1]))
    switch (name, numbers.count) {
    case ("read", 2): self = .read(lba: lba, blocks: blocks)
    case ("zero", 2): self = .zero(lba: lba, blocks: blocks)
    case ("discard", 2): self = .discard(lba: lba, blocks: blocks)
    case ("write", 3): self = .write(lba: lba, blocks: blocks, version: numbers[2], isForced: false)
    case ("fua", 3): self = .write(lba: lba, blocks: blocks, version: numbers[2], isForced: true)
    default: return nil
    }
  }
}
