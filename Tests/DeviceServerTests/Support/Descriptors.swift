import Glibc

/// The numbers of the descriptors of this process.
func descriptorNumbers() -> [Int32] {
  guard let directory = opendir("/proc/self/fd") else { return [] }
  defer { closedir(directory) }
  var numbers: [Int32] = []
  while let entry = readdir(directory) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if let number = Int32(name), number != dirfd(directory) { numbers.append(number) }
  }
  return numbers
}

/// How many descriptors of this process are open on the file behind `fd`: a leak shows, whatever else runs beside.
func openDescriptors(ofTheFileBehind fd: Int32) -> Int {
  var wanted = stat()
  guard fstat(fd, &wanted) == 0 else { return -1 }
  return descriptorNumbers().filter { number in
    var status = stat()
    return fstat(number, &status) == 0 && status.st_dev == wanted.st_dev && status.st_ino == wanted.st_ino
  }.count
}

/// Changes the limit of open files of this process (the soft one of `RLIMIT_NOFILE`).
///
/// - Returns: the one before; nil where it cannot be changed.
func setDescriptorLimit(_ count: rlim_t) -> rlim_t? {
  let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  var limit = rlimit()
  guard getrlimit(resource, &limit) == 0 else { return nil }
  let before = limit.rlim_cur
  limit.rlim_cur = count
  return setrlimit(resource, &limit) == 0 ? before : nil
}
