import Glibc
import LinuxIO

/// Descriptors that somebody else opened for one controller, and handed over: its socket, and images of its namespaces.
///
/// It owns them: what nobody takes is closed with it. They come from the command line and from systemd by their numbers
/// in this process (`inherited(by:)`), or with a message over the control socket (SCM_RIGHTS).
public struct HandedOver: ~Copyable, Sendable {
  private var socket: FileDescriptor?
  /// Open descriptors by the number that `NamespaceConfiguration.inheritedImage` has.
  private var images: [Int32: Int32] = [:]

  /// Nothing, or a socket alone: connected or listening.
  public init(socket: consuming FileDescriptor? = nil) { self.socket = socket }

  deinit { for image in images.values { _ = close(image) } }

  /// Whether there is no socket, or it was taken.
  public var hasSocket: Bool { socket != nil }

  /// How many images were not taken yet.
  public var imageCount: Int { images.count }

  /// Adds an image: a regular file or a block device, which is checked when its namespace is opened.
  ///
  /// - Parameters:
  ///   - image: the open image. It is closed where another one has the number.
  ///   - number: what `NamespaceConfiguration.inheritedImage` calls it by.
  public mutating func add(image: consuming FileDescriptor, number: Int32) {
    guard images[number] == nil else { return }
    images[number] = image.release()
  }

  /// Takes the socket; nil where there is none, or not any more.
  public mutating func takeSocket() -> FileDescriptor? { socket.take() }

  /// Takes the image of that number; nil where there is none, or not any more.
  public mutating func takeImage(_ number: Int32) -> FileDescriptor? {
    images.removeValue(forKey: number).map { FileDescriptor(owning: $0) }
  }

  /// Takes ownership of what a configuration names by numbers of this process (`inheritedSocket`, `inheritedImage`).
  ///
  /// Once for each configuration, before anything else opens descriptors: a number that is not open here could else
  /// become somebody else's file.
  ///
  /// - Throws: a sentence on a descriptor that is not open, or is a standard stream.
  public static func inherited(by configuration: ControllerConfiguration) throws(DaemonError) -> HandedOver {
    var handedOver = HandedOver()
    if let number = configuration.inheritedSocket { handedOver.socket = try claim(number, "--fd", "a socket") }
    for namespace in configuration.namespaces {
      guard let number = namespace.inheritedImage else { continue }
      handedOver.add(image: try claim(number, "--image-fd", "an image"), number: number)
    }
    return handedOver
  }

  private static func claim(_ number: Int32, _ option: String, _ what: String) throws(DaemonError) -> FileDescriptor {
    guard number > STDERR_FILENO else {
      throw DaemonError("\(option) \(number): that is a standard stream; hand over \(what) as descriptor 3 or higher")
    }
    guard fcntl(number, F_GETFD) != -1 else {
      throw DaemonError(
        "\(option) \(number): no descriptor \(number) was inherited; open it without O_CLOEXEC, or clear FD_CLOEXEC "
          + "before exec")
    }
    let descriptor = FileDescriptor(owning: number)
    do throws(Errno) { try descriptor.setCloseOnExec(true) } catch {
      throw DaemonError("\(option) \(number): \(error)")
    }
    return descriptor
  }
}
