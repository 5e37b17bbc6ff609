import CLibFuzzer
import Glibc

/// `nvmed-fuzz TARGET [OPTION OF LIBFUZZER...] [CORPUS...]`
@main
enum FuzzMain {
  private static let targets: [String: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32] = [
    "messages": { data, size in
      MessagesTarget.test(FuzzMain.input(data, size))
      return 0
    },
    "registers": { data, size in
      RegistersTarget.test(FuzzMain.input(data, size))
      return 0
    },
    "commands": { data, size in
      CommandsTarget.test(FuzzMain.input(data, size))
      return 0
    },
    "configuration": { data, size in
      ConfigurationTarget.test(FuzzMain.input(data, size))
      return 0
    },
    "control": { data, size in
      ControlTarget.test(FuzzMain.input(data, size))
      return 0
    },
    "session": { data, size in
      SessionTarget.test(FuzzMain.input(data, size))
      return 0
    },
  ]

  private static func input(_ data: UnsafePointer<UInt8>?, _ size: Int) -> [UInt8] {
    unsafe Array(UnsafeBufferPointer(start: data, count: size))
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
