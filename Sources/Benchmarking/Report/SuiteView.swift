/// How the measurements of a suite are shown: which parameters and values, in which units.
public struct SuiteView: Sendable {
  /// A parameter of a case.
  public struct Axis: Sendable {
    /// Its name in the result.
    public let key: String
    /// What stands above it.
    public let title: String
    /// Whether it is a number of bytes.
    let isSize: Bool

    init(_ key: String, _ title: String, isSize: Bool = false) {
      self.key = key
      self.title = title
      self.isSize = isSize
    }

    /// The parameter's value for people.
    func text(_ parameters: [String: String]) -> String {
      let value = parameters[key] ?? ""
      return isSize ? blockSize(value) : value
    }
  }

  /// A value of a measurement.
  public struct Column: Sendable {
    /// Its name in the result.
    public let key: String
    /// What stands above it, with the unit.
    public let title: String
    /// What the value is divided by for that unit.
    let unit: Double
    let decimals: Int
    /// Whether least and greatest are shown beside the median.
    let hasSpread: Bool
    /// Whether it is among what two builds are compared by.
    let isCompared: Bool

    init(
      _ key: String, _ title: String, unit: Double = 1, decimals: Int = 0, hasSpread: Bool = false,
      isCompared: Bool = false
    ) {
      self.key = key
      self.title = title
      self.unit = unit
      self.decimals = decimals
      self.hasSpread = hasSpread
      self.isCompared = isCompared
    }

    func text(_ value: Double) -> String { decimal(value / unit, decimals) }
  }

  /// The suite.
  public let suite: String
  /// What it measures, in one line.
  public let title: String
  let axes: [Axis]
  let columns: [Column]
  /// The value whose ratio to that of a runner is shown.
  let ratio: (key: String, to: String)?
  /// Columns whose growth with a parameter is shown below the table.
  let fits: (keys: [String], over: String)?

  private init(
    _ suite: String, _ title: String, axes: [Axis], columns: [Column], ratio: (key: String, to: String)? = nil,
    fits: (keys: [String], over: String)? = nil
  ) {
    self.suite = suite
    self.title = title
    self.axes = axes
    self.columns = columns
    self.ratio = ratio
    self.fits = fits
  }

  /// The view of a suite.
  public static func named(_ suite: String) -> SuiteView? { all.first { $0.suite == suite } }

  private static let latencies = [
    Column("mean_ns", "mean us", unit: 1000, decimals: 1), Column("p50_ns", "p50", unit: 1000, decimals: 1),
    Column("p99_ns", "p99", unit: 1000, decimals: 1, isCompared: true),
    Column("p999_ns", "p99.9", unit: 1000, decimals: 1),
  ]

  private static let costs = [
    Column("cpu_ns", "CPU ns", isCompared: true), Column("syscalls", "calls", decimals: 4, isCompared: true),
    Column("switches", "switches", decimals: 4),
  ]

  private static func device(_ suite: String, _ title: String) -> SuiteView {
    SuiteView(
      suite, title,
      axes: [
        Axis("way", "way"), Axis("size", "size", isSize: true), Axis("queues", "queues"), Axis("depth", "depth"),
      ],
      columns: [Column("iops", "IOPS", hasSpread: true, isCompared: true)] + latencies + costs)
  }

  /// Every suite, in the order in which they run.
  public static let all: [SuiteView] = [
    SuiteView(
      "path", "The I/O path alone, for each command, against a C reference of the same work and checks",
      axes: [Axis("storage", "storage"), Axis("command", "command")],
      columns: [
        Column("instructions", "instructions", decimals: 1, isCompared: true),
        Column("forbidden", "retains, allocations, locks", decimals: 3),
        Column("ns", "CPU ns", decimals: 1, hasSpread: true, isCompared: true),
      ], ratio: ("instructions", "c")),
    device("null", "The whole daemon over the in-tree host driver, on a device that transfers nothing"),
    device("memory", "The whole daemon over the in-tree host driver, on a device that is memory"),
    SuiteView(
      "file", "An image through nvmed, against fio (libaio, O_DIRECT) on the same image, in turns",
      axes: [
        Axis("layout", "layout"), Axis("pattern", "pattern"), Axis("size", "size", isSize: true),
        Axis("depth", "depth"),
      ],
      columns: [Column("iops", "IOPS", isCompared: true)] + latencies + costs, ratio: ("iops", "fio")),
    SuiteView(
      "guest", "fio in a QEMU guest: nvmed's disk against QEMU's own NVMe device (aio=native) on the same image",
      axes: [Axis("pattern", "pattern"), Axis("size", "size", isSize: true), Axis("depth", "depth")],
      columns: [Column("iops", "IOPS", isCompared: true)] + latencies, ratio: ("iops", "qemu")),
    SuiteView(
      "scale", "Controllers, each with a client: start, idle, and one command after the other on all of them",
      axes: [Axis("controllers", "controllers")],
      columns: [
        Column("ready_ms", "ready ms", decimals: 1, isCompared: true),
        Column("first_command_ms", "first command ms", decimals: 1, isCompared: true),
        Column("rss_bytes", "RSS KiB", unit: 1024, isCompared: true), Column("pss_bytes", "Pss KiB", unit: 1024),
        Column("anonymous_bytes", "its own KiB", unit: 1024), Column("threads", "threads"),
        Column("descriptors", "fds"), Column("idle_wakeups", "idle wake-ups"),
        Column("idle_cpu_ns", "idle CPU us", unit: 1000),
        Column("iops", "IOPS"), Column("cpu_ns", "CPU ns", isCompared: true),
      ],
      fits: (
        ["ready_ms", "rss_bytes", "pss_bytes", "anonymous_bytes", "threads", "descriptors"], "controllers"
      )),
    SuiteView(
      "idle", "Attached guests that do nothing: what the daemon does meanwhile",
      axes: [Axis("controllers", "controllers"), Axis("way", "way"), Axis("state", "state")],
      columns: [
        Column("seconds", "seconds"), Column("idle_wakeups", "wake-ups", isCompared: true),
        Column("idle_cpu_ns", "CPU us", unit: 1000, isCompared: true),
      ]),
    SuiteView(
      "isolation", "A guest that reads 4 KiB at random: alone, and next to one that attacks the daemon",
      axes: [
        Axis("backend", "backend"), Axis("threads", "I/O threads"), Axis("attack", "attack"), Axis("depth", "depth"),
      ],
      columns: [
        Column("attacks_per_second", "attacks/s"), Column("alone_p50_ns", "alone p50 us", unit: 1000, decimals: 1),
        Column("alone_p99_ns", "p99", unit: 1000, decimals: 1),
        Column("alone_p999_ns", "p99.9", unit: 1000, decimals: 1),
        Column("attacked_p50_ns", "attacked p50 us", unit: 1000, decimals: 1),
        Column("attacked_p99_ns", "p99", unit: 1000, decimals: 1),
        Column("attacked_p999_ns", "p99.9", unit: 1000, decimals: 1),
        Column("p50_factor", "x p50", decimals: 2), Column("p99_factor", "x p99", decimals: 2, isCompared: true),
        Column("p999_factor", "x p99.9", decimals: 2),
      ]),
  ]
}
