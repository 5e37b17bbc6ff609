import ArgumentParser
import Control
import Daemon
import Glibc
import LinuxIO

/// A namespace to come, in options.
struct NamespaceOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("Raw disk image or block device.", valueName: "file"))
  var image: String?

  @Option(
    name: .long, help: ArgumentHelp("An open image to hand over, by its number in this process.", valueName: "fd"))
  var imageFd: Int32?

  @Option(
    name: .long, help: ArgumentHelp("A namespace in memory instead, of this size, such as 1GiB.", valueName: "size"))
  var memory: String?

  @Option(name: .long, help: ArgumentHelp("A namespace without data instead, of this size.", valueName: "size"))
  var null: String?

  @Option(name: .long, help: ArgumentHelp("Bytes of a logical block: 512 or 4096.", valueName: "bytes"))
  var blockSize: Int?

  @Flag(name: .long, help: "Refuse writes.")
  var readOnly = false

  @Flag(name: .long, help: "Use the host's page cache instead of O_DIRECT.")
  var buffered = false

  /// Whether there is one.
  var isGiven: Bool { image != nil || imageFd != nil || memory != nil || null != nil }

  /// The members of its JSON object.
  ///
  /// - Parameter descriptors: takes the image that is handed over.
  func members(_ descriptors: inout [Int32]) throws -> [String: JSONValue] {
    guard [image != nil, imageFd != nil, memory != nil, null != nil].count(where: \.self) == 1 else {
      throw ValidationError("give one of --image FILE, --image-fd FD, --memory SIZE and --null SIZE")
    }
    var members: [String: JSONValue] = [:]
    if let image { members["image"] = .string(absolutePath(image)) }
    if let imageFd {
      try requireOpen(imageFd, "--image-fd")
      members["image_descriptor"] = .integer(Int64(descriptors.count))
      descriptors.append(imageFd)
    }
    if let memory { (members["backend"], members["size"]) = (.string("memory"), .string(memory)) }
    if let null { (members["backend"], members["size"]) = (.string("null"), .string(null)) }
    if let blockSize { members["block_size"] = .integer(Int64(blockSize)) }
    if readOnly { members["read_only"] = .bool(true) }
    if buffered { members["cache"] = .string("buffered") }
    return members
  }
}

/// Keys of the configuration file, each with its value: `--set KEY=VALUE`.
struct KeyOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "A key of the configuration file with its value; repeat it for more. nvmed example-config lists them.",
      valueName: "key=value"))
  var set: [String] = []

  /// The members of a JSON object.
  func members() throws -> [String: JSONValue] {
    var members: [String: JSONValue] = [:]
    for assignment in set {
      guard let equals = assignment.firstIndex(of: "="), equals != assignment.startIndex else {
        throw ValidationError("--set: write KEY=VALUE, such as serial=DISK7, not '\(assignment)'")
      }
      let text = String(assignment[assignment.index(after: equals)...])
      // Numbers, booleans and quoted texts are JSON; any other word is a text.
      members[String(assignment[..<equals])] = JSONValue(text: text) ?? .string(text)
    }
    return members
  }
}

/// The path from the root: the daemon's folder is another.
func absolutePath(_ path: String) -> String { ProcessEnvironment.absolutePath(path) }

/// Makes sure that a descriptor is open here.
func requireOpen(_ number: Int32, _ option: String) throws {
  guard fcntl(number, F_GETFD) != -1 else {
    throw ValidationError("\(option): no descriptor \(number) is open in this process")
  }
}
