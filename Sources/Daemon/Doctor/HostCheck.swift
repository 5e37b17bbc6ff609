/// One look at the host. It finds out by doing, as far as that changes nothing and disturbs nobody, and not by what
/// version or capability number the host shows.
protocol HostCheck {
  /// What it finds now. Any thread; may take some ms.
  func findings() -> [Finding]
}
