import CVersion

extension Daemon {
  /// The version that it was built as: of `NVMED_VERSION` at build time, which scripts/version prints.
  public static let version = unsafe String(cString: nvmed_version)
}
