import CLibFuzzer
import Glibc

/// `nvmed-fuzz TARGET [OPTION OF LIBFUZZER...] [CORPUS...]`
@main
enum FuzzMain {
  private static let targets: [String: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32] = [
    "messages": { data, size in
      FuzzMain.run(MessagesTarget.test, data, size)
    },
    "registers": { data, size in
      FuzzMain.run(RegistersTarget.test, data, size)
    },
    "commands": { data, size in
      FuzzMain.run(CommandsTarget.test, data, size)
    },
    "configuration": { data, size in
      FuzzMain.run(ConfigurationTarget.test, data, size)
    },
    "control": { data, size in
      FuzzMain.run(ControlTarget.test, data, size)
    },
    "session": { data, size in
      FuzzMain.run(SessionTarget.test, data, size)
    },
  ]

  private static func run(_ test: ([UInt8]) -> Void, _ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    FuzzProcess.watch { test(unsafe Array(UnsafeBufferPointer(start: data, count: size))) }
    return 0
  }

  /// The target, for processes that libFuzzer starts to merge corpora: it does not know of targets.
  private static let variable = "NVMED_FUZZ_TARGET"

  static func main() {
    var names = CommandLine.arguments
    if names.count >= 2, targets[names[1]] != nil { setenv(variable, names.remove(at: 1), 1) }
    guard let name = getenv(variable).map({ String(cString: $0) }), let target = targets[name] else {
      print("nvmed-fuzz \(targets.keys.sorted().joined(separator: "|")) [OPTION OF LIBFUZZER...] [CORPUS...]")
      exit(64)
    }
    var arguments = names.map { strdup($0) } + [nil]
    var count = Int32(arguments.count - 1)
    let status = arguments.withUnsafeMutableBufferPointer { buffer -> Int32 in
      var start = buffer.baseAddress
      return unsafe LLVMFuzzerRunDriver(&count, &start, target)
    }
    exit(status)
  }
}
