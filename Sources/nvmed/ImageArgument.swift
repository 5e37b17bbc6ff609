import Glibc

/// An image as the command line names it.
enum ImageArgument: Equatable {
  /// `--image PATH`.
  case path(String)
  /// `--image-fd NUMBER`.
  case descriptor(Int32)

  /// The images of a command line in the order in which they stand there, which two options do not keep of each other.
  ///
  /// - Parameters:
  ///   - paths: the values of `--image` and `--blk-file`, in their order.
  ///   - descriptors: the values of `--image-fd`, in their order.
  ///   - arguments: the command line.
  static func inOrder(paths: [String], descriptors: [Int32], of arguments: [String]) -> [ImageArgument] {
    var paths = paths[...]
    var descriptors = descriptors[...]
    var images: [ImageArgument] = []
    for argument in arguments {
      switch argument.prefix(while: { $0 != "=" }) {
      case "--image", "--blk-file": if let path = paths.popFirst() { images.append(.path(path)) }
      case "--image-fd": if let number = descriptors.popFirst() { images.append(.descriptor(number)) }
      default: break
      }
    }
    return images + paths.map { .path($0) } + descriptors.map { .descriptor($0) }
  }

  /// What it is known by: the path, also of an inherited one where the kernel knows it. Serial numbers come from it.
  var name: String {
    switch self {
    case .path(let path): path
    case .descriptor(let number): ImageArgument.target(of: "/proc/self/fd/\(number)") ?? "descriptor \(number)"
    }
  }

  private static func target(of link: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink(link, &buffer, buffer.count)
    guard count > 0 else { return nil }
    let target = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return target.hasPrefix("/") && !target.hasSuffix(" (deleted)") ? target : nil
  }
}
