/// What `nvmed --print-capabilities` prints, after QEMU's conventions for back-end programs (`docs/interop/vhost-user`):
/// an object with the type of the device and the features that a management layer may use.
enum BackendCapabilities {
  /// Options of `nvmed serve` that may be there or not, as a newer or older nvmed has more or fewer of them.
  static let features = [
    "blk-file", "block-size", "buffered", "config", "image", "image-fd", "memory", "queues", "read-only", "serial",
    "shadow-doorbells",
  ]

  /// The object, as JSON.
  static var text: String {
    let list = features.map { "    \"\($0)\"" }.joined(separator: ",\n")
    return """
      {
        "type": "nvme",
        "protocol": "vfio-user",
        "features": [
      \(list)
        ]
      }
      """
  }
}
