import CLinux
import Glibc
import KVM
import LinuxIO

/// Puts a Linux kernel and its initramfs into a guest's memory, with all that the PVH boot protocol wants.
///
/// A kernel is an ELF file with a PVH entry (`vmlinux` of a kernel with CONFIG_PVH): it needs no decompression in the
/// guest. Source: Xen, docs/misc/pvh.pandoc; Linux, arch/x86/platform/pvh.
struct LinuxLoader {
  /// Bytes that a guest's memory may have.
  static let memorySizes: ClosedRange<UInt64> = 16 << 20...GuestAddressMap.deviceHole
  /// Longest command line (COMMAND_LINE_SIZE of x86), without its NUL.
  private static let longestCommandLine = 2047
  private static let pageSize: UInt64 = 4096

  /// The path of the kernel.
  let kernel: String
  /// The path of the initramfs.
  let initramfs: String
  /// The kernel's parameters.
  let commandLine: String

  /// Loads everything.
  ///
  /// - Parameter memory: the guest's memory from address 0 on, all zero; 16 MiB to 3 GiB.
  /// - Returns: where the guest begins.
  func load(into memory: borrowing MemoryMapping) throws(KernelImageError) -> ProtectedModeEntry {
    let memorySize = UInt64(memory.count)
    guard LinuxLoader.memorySizes.contains(memorySize) else { throw .badMemorySize }
    let parameters = Array(commandLine.utf8)
    guard parameters.count <= LinuxLoader.longestCommandLine, !parameters.contains(0) else { throw .badCommandLine }

    let file = try InputFile.open(kernel)
    let image = try ELFImage(fileSize: file.size) { (offset, count) throws(KernelImageError) in
      try file.read(at: offset, count: count)
    }
    for (index, segment) in image.segments.enumerated() {
      guard segment.memory.lowerBound >= GuestAddressMap.highMemory, segment.memory.upperBound <= memorySize else {
        throw .segmentOutsideOfMemory(index)
      }
    }
    // Checked before anything is read: the initramfs is as high as it can be, the kernel below it.
    let archive = try InputFile.open(initramfs)
    let kernelEnd = image.extent?.upperBound ?? GuestAddressMap.highMemory
    guard archive.size <= memorySize - kernelEnd else { throw .initramfsDoesNotFit }
    let archiveStart = (memorySize - archive.size) & ~(LinuxLoader.pageSize - 1)
    guard archiveStart >= kernelEnd else { throw .initramfsDoesNotFit }

    for segment in image.segments {
      try file.read(at: segment.offset, count: segment.fileSize, into: memory, at: segment.memory.lowerBound)
    }
    try archive.read(at: 0, count: archive.size, into: memory, at: archiveStart)
    let info = StartInfo(
      initramfs: archiveStart..<archiveStart + archive.size, memory: StartInfo.memoryMap(memorySize))
    LinuxLoader.put(info.encoded(), into: memory, at: GuestAddressMap.startInfo)
    LinuxLoader.put(parameters + [0], into: memory, at: GuestAddressMap.commandLine)
    LinuxLoader.put(
      ACPITables.image(at: GuestAddressMap.acpiTables, window: GuestAddressMap.barWindow), into: memory,
      at: GuestAddressMap.acpiTables)
    return ProtectedModeEntry(instructionPointer: image.entry, ebx: GuestAddressMap.startInfo)
  }

  /// Stores bytes below 1 MiB, which every guest has.
  private static func put(_ bytes: [UInt8], into memory: borrowing MemoryMapping, at address: UInt32) {
    unsafe (memory.base + Int(address)).copyMemory(from: bytes, byteCount: bytes.count)
  }
}

/// A regular file that is read by `pread(2)`: one that shrinks meanwhile is an error and no SIGBUS.
struct InputFile: ~Copyable {
  /// Bytes, as it was opened.
  let size: UInt64
  let path: String
  let descriptor: FileDescriptor

  static func open(_ path: String) throws(KernelImageError) -> InputFile {
    do throws(Errno) {
      let descriptor = try FileDescriptor(path: path, flags: O_RDONLY | O_NONBLOCK)
      let status = try descriptor.status()
      if status.st_mode & S_IFMT == S_IFREG, let size = UInt64(exactly: status.st_size), size > 0 {
        return InputFile(size: size, path: path, descriptor: descriptor)
      }
    } catch { throw .file(path, error) }
    throw .noRegularFile(path)
  }

  func read(at offset: UInt64, count: Int) throws(KernelImageError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let result: Errno? = unsafe bytes.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return nil }
      return unsafe read(at: offset, count: count, to: base)
    }
    if let result { throw .file(path, result) }
    return bytes
  }

  /// Reads into memory; the range must lie in it.
  func read(
    at offset: UInt64, count: UInt64, into memory: borrowing MemoryMapping, at address: UInt64
  ) throws(KernelImageError) {
    guard let place = Int(exactly: address), let count = Int(exactly: count), place <= memory.count,
      count <= memory.count - place
    else { throw .badMemorySize }
    if let error = unsafe read(at: offset, count: count, to: memory.base + place) { throw .file(path, error) }
  }

  private func read(at offset: UInt64, count: Int, to base: UnsafeMutableRawPointer) -> Errno? {
    guard let start = Int(exactly: offset) else { return .overflow }
    var done = 0
    while done < count {
      let result = unsafe pread(descriptor.rawValue, base + done, count - done, start + done)
      if result > 0 {
        done += result
      } else if result == 0 {
        return .inputOutput
      } else if Errno.current != .interrupted {
        return Errno.current
      }
    }
    return nil
  }
}
